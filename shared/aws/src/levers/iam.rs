//! The sessions of one instance: a deny of everything that names them by `aws:userid`, as a managed policy of ours on
//! the role. The rest of the role's users go on.
//!
//! Guarantees: only a policy under `/picket/<stack>/` that says exactly our deny is attached. One of the same name that
//! says something else is refused: whoever may make policies could else have his attached by us.
//! Caveats: IAM takes seconds to minutes to hold everywhere. A role takes ten managed policies unless its quota was
//! raised; service-linked roles take none.

use aws_sdk_iam::Client;
use picket_model::{InstanceId, Region, Scope, Untrusted};
use picket_pipeline::ports::{Answer, Kind, PortError};
use serde_json::{Value, json};

use super::{AwsLevers, failed};

impl AwsLevers<'_> {
    fn iam(&self) -> Client {
        Client::new(self.clients.config())
    }

    /// `GetInstanceProfile`; `iam:GetInstanceProfile`. The name and the unique id of its role. A profile may have none,
    /// and may have been deleted under its instance.
    pub(super) async fn role_of(&self, profile: Option<&str>) -> Answer<Option<(Untrusted, Untrusted)>> {
        let Some(profile) = profile else { return Ok(None) };
        let answer = self.iam().get_instance_profile().instance_profile_name(profile).send().await;
        match answer.map_err(|e| failed("reading instance profile", profile, &e)) {
            Ok(answer) => {
                let role = answer.instance_profile().and_then(|p| p.roles().first());
                Ok(role.map(|r| (Untrusted::new(r.role_name()), Untrusted::new(r.role_id()))))
            }
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `CreatePolicy`, or `GetPolicy` and `GetPolicyVersion` of one that is there, then `AttachRolePolicy`;
    /// `iam:CreatePolicy`, `iam:GetPolicy`, `iam:GetPolicyVersion`, `iam:AttachRolePolicy`. Attaching twice is once.
    pub(super) async fn deny(
        &self,
        scope: &Scope,
        role: &Untrusted,
        role_id: &Untrusted,
        instance: &InstanceId,
    ) -> Answer<()> {
        let (client, arn) = (self.iam(), arn(scope, &self.stack, instance));
        let document = document(role_id, instance);
        let call = client.create_policy().path(path(&self.stack)).policy_name(name(instance));
        let call =
            call.description(format!("Picket holds {instance}: its sessions may do nothing. Goes at its release."));
        let made = call.policy_document(document.to_string()).send().await;
        match made.map_err(|e| failed("making the deny for", instance, &e)) {
            Ok(_) => {}
            Err(error) if error.kind == Kind::Conflict => says(&client, &arn, &document).await?,
            Err(error) => return Err(error),
        }
        let sent = client.attach_role_policy().role_name(role.as_str()).policy_arn(&arn).send().await;
        sent.map(drop).map_err(|e| not_visible_yet(failed("attaching the deny to role", role, &e), &arn))
    }

    /// `DetachRolePolicy`, `DeletePolicy`; `iam:DetachRolePolicy`, `iam:DeletePolicy`. A deny that somebody attached
    /// elsewhere, or made versions of, is off this role and stays for people to look at.
    pub(super) async fn allow(&self, scope: &Scope, role: &Untrusted, instance: &InstanceId) -> Answer<()> {
        let (client, arn) = (self.iam(), arn(scope, &self.stack, instance));
        let sent = client.detach_role_policy().role_name(role.as_str()).policy_arn(&arn).send().await;
        gone_is_done(sent.map(drop).map_err(|e| failed("taking the deny off role", role, &e)))?;
        let sent = client.delete_policy().policy_arn(&arn).send().await;
        match sent.map(drop).map_err(|e| failed("removing the deny", &arn, &e)) {
            Err(error) if error.kind == Kind::Conflict => {
                tracing::warn!(%error, "the deny is off the role, and could not be removed");
                Ok(())
            }
            answer => gone_is_done(answer),
        }
    }
}

/// Whether the policy that is there says what ours would.
async fn says(client: &Client, arn: &str, wanted: &Value) -> Answer<()> {
    let doing = "reading the deny that is there";
    let found = client.get_policy().policy_arn(arn).send().await;
    let found = found.map_err(|e| not_visible_yet(failed(doing, arn, &e), arn))?;
    let version = found.policy().and_then(|p| p.default_version_id()).unwrap_or("v1");
    let text = client.get_policy_version().policy_arn(arn).version_id(version).send().await;
    let text = text.map_err(|e| not_visible_yet(failed(doing, arn, &e), arn))?;
    let text = decoded(text.policy_version().and_then(|v| v.document()).unwrap_or_default());
    if serde_json::from_str::<Value>(&text).is_ok_and(|found| &found == wanted) {
        return Ok(());
    }
    Err(PortError::new(doing, arn, Kind::Conflict, "it says something else and was not attached; who made it?"))
}

/// A policy that was only just made may not be there for the next call: that passes.
fn not_visible_yet(error: PortError, arn: &str) -> PortError {
    let passes = error.kind == Kind::NotFound && error.why.as_str().contains(arn);
    PortError { kind: if passes { Kind::Transient } else { error.kind }, ..error }
}

fn gone_is_done(answer: Answer<()>) -> Answer<()> {
    match answer {
        Err(error) if error.kind == Kind::NotFound => Ok(()),
        answer => answer,
    }
}

fn document(role_id: &Untrusted, instance: &InstanceId) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "PicketHoldsThisInstance",
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:userid": format!("{role_id}:{instance}")}},
    }]})
}

fn path(stack: &str) -> String {
    format!("/picket/{stack}/")
}

fn name(instance: &InstanceId) -> String {
    format!("deny-{instance}")
}

fn arn(scope: &Scope, stack: &str, instance: &InstanceId) -> String {
    let (partition, account) = (partition(&scope.region), &scope.account);
    format!("arn:{partition}:iam::{account}:policy{}{}", path(stack), name(instance))
}

/// The partition of a Region, by the beginning of its name.
fn partition(region: &Region) -> &'static str {
    const PARTITIONS: &[(&str, &str)] = &[
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    PARTITIONS.iter().find(|(begin, _)| region.as_str().starts_with(begin)).map_or("aws", |(_, name)| name)
}

/// Percent-encoding undone: IAM answers documents so. What is not UTF-8 then is no policy of ours.
pub(crate) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut plain, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%').and_then(|h| u8::from_str_radix(h, 16).ok());
        plain.push(hex.unwrap_or(bytes[at]));
        at += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8(plain).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> InstanceId {
        InstanceId::parse("i-00000001").unwrap()
    }

    fn scope(region: &str) -> Scope {
        serde_json::from_value(json!({"account": "123456789012", "region": region})).unwrap()
    }

    #[test]
    fn the_deny_is_for_the_sessions_of_one_instance_in_one_role() {
        let expected = r#"{"Statement":[{"Action":"*","Condition":{"StringEquals":{"aws:userid":"AROA1:i-00000001"}},"Effect":"Deny","Resource":"*","Sid":"PicketHoldsThisInstance"}],"Version":"2012-10-17"}"#;
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(document(&"AROA1".into(), &id()), expected);
    }

    #[test]
    fn a_role_id_cannot_break_out_of_the_document() {
        let made = document(&r#"A"},"Effect":"Allow"#.into(), &id()).to_string();
        let read: Value = serde_json::from_str(&made).unwrap();
        assert_eq!(read["Statement"][0]["Effect"], "Deny");
    }

    #[test]
    fn the_policy_is_named_by_stack_and_instance_in_every_partition() {
        for (region, partition) in [
            ("eu-central-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
        ] {
            let expected = format!("arn:{partition}:iam::123456789012:policy/picket/prod/deny-i-00000001");
            assert_eq!(arn(&scope(region), "prod", &id()), expected);
        }
    }

    #[test]
    fn a_document_is_read_as_iam_answers_it() {
        for (encoded, plain) in [
            ("%7B%22a%22%3A%20%22%2A%22%7D", r#"{"a": "*"}"#),
            ("plain", "plain"),
            ("100%", "100%"),
            ("%zz%C3%A4", "%zzä"),
            ("ä%41", "äA"),
            ("%ff", ""),
        ] {
            assert_eq!(decoded(encoded), plain, "{encoded}");
        }
    }

    #[test]
    fn a_policy_that_is_not_visible_yet_is_worth_another_try_and_a_missing_role_is_not() {
        let error = |why: &str| PortError::new("attaching", "node", Kind::NotFound, why);
        let passes = "NoSuchEntity: Policy arn:p does not exist or is not attachable.";
        assert_eq!(not_visible_yet(error(passes), "arn:p").kind, Kind::Transient);
        let stays = "NoSuchEntity: The role with name node cannot be found.";
        assert_eq!(not_visible_yet(error(stays), "arn:p").kind, Kind::NotFound);
    }
}
