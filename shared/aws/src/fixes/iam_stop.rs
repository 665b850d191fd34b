//! Stopping users and roles: AWS's own policy that denies everything, or one of ours that denies the sessions of before a
//! time. Nothing else is ever attached.
//!
//! Guarantees: a policy of ours that is there under the same name and says something else is not attached.

use aws_sdk_iam::types::AttachedPolicy;
use jiff::Timestamp;
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::ports::{Answer, Kind, PortError, Sight};
use serde_json::{Value, json};

use super::{AwsFixes, code, failed, flag, gone_is_done, parts, word};

/// AWS's policy that denies everything.
const DENY_ALL: &str = "policy/AWSDenyAll";
/// How our policies begin.
const OURS: &str = "deny-sessions-";

impl AwsFixes<'_> {
    pub(super) async fn read_stop(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        let (kind, name) = self.principal(aim)?;
        let attached = self.attached(kind, name).await?;
        let facts = json!({
            "path": self.path_of(kind, name).await?,
            "profiles": self.profiles(kind, name).await?,
            // Sessions are told apart by whole seconds.
            "time": Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default().to_string(),
        });
        let now = if aim.action == "iam_deny_principal" {
            json!({"denied": attached.iter().any(|p| p.policy_arn().is_some_and(|a| a.ends_with(DENY_ALL)))})
        } else {
            let ours = attached.iter().filter_map(|p| p.policy_arn()).filter(|a| a.starts_with(&self.ours(scope)));
            json!({"issued_before": ours.filter_map(time_of).max()})
        };
        Ok(Sight { now, facts })
    }

    pub(super) async fn write_stop(&self, scope: &Scope, aim: &Aim, from: &Value, to: &Value) -> Answer<()> {
        let (kind, name) = self.principal(aim)?;
        if aim.action == "iam_deny_principal" {
            let arn = format!("arn:{}:iam::aws:{DENY_ALL}", partition(scope));
            return if flag(to, "denied") {
                self.attach(kind, name, &arn).await
            } else {
                self.detach(kind, name, &arn).await
            };
        }
        if let Some(time) = word(to, "issued_before") {
            let arn = self.policy_before(scope, name, time).await?;
            return self.attach(kind, name, &arn).await;
        }
        let Some(time) = word(from, "issued_before") else { return Ok(()) };
        let arn = self.arn_before(scope, name, time)?;
        self.detach(kind, name, &arn).await?;
        let sent = self.clients.iam().delete_policy().policy_arn(&arn).send().await;
        gone_is_done(sent.map(drop).map_err(|e| failed("removing our deny from", name, &e)))
    }

    /// `user` or `role`, and the name; sessions are of roles.
    fn principal<'t>(&self, aim: &'t Aim) -> Answer<(&'t str, &'t str)> {
        let (kind, name) = parts(aim)?;
        let right = kind == "role" || (kind == "user" && aim.action == "iam_deny_principal");
        let wrong =
            || PortError::new("reading the target", &aim.target, Kind::Other, "it is no user/NAME or role/NAME");
        right.then_some((kind, name)).ok_or_else(wrong)
    }

    async fn path_of(&self, kind: &str, name: &str) -> Answer<String> {
        let (client, doing) = (self.clients.iam(), "reading");
        if kind == "user" {
            let answer = client.get_user().user_name(name).send().await.map_err(|e| failed(doing, name, &e))?;
            return Ok(answer.user().map_or("/", |u| u.path()).to_owned());
        }
        let answer = client.get_role().role_name(name).send().await.map_err(|e| failed(doing, name, &e))?;
        Ok(answer.role().map_or("/", |r| r.path()).to_owned())
    }

    async fn profiles(&self, kind: &str, name: &str) -> Answer<Vec<String>> {
        if kind == "user" {
            return Ok(Vec::new());
        }
        let answer = self.clients.iam().list_instance_profiles_for_role().role_name(name).send().await;
        let answer = answer.map_err(|e| failed("reading the instance profiles of", name, &e))?;
        Ok(answer.instance_profiles().iter().map(|p| p.instance_profile_name().to_owned()).collect())
    }

    async fn attached(&self, kind: &str, name: &str) -> Answer<Vec<AttachedPolicy>> {
        let (client, doing, mut found) = (self.clients.iam(), "reading the policies of", Vec::new());
        if kind == "user" {
            let mut pages = client.list_attached_user_policies().user_name(name).into_paginator().send();
            while let Some(page) = pages.next().await {
                found.extend(page.map_err(|e| failed(doing, name, &e))?.attached_policies.unwrap_or_default());
            }
            return Ok(found);
        }
        let mut pages = client.list_attached_role_policies().role_name(name).into_paginator().send();
        while let Some(page) = pages.next().await {
            found.extend(page.map_err(|e| failed(doing, name, &e))?.attached_policies.unwrap_or_default());
        }
        Ok(found)
    }

    async fn attach(&self, kind: &str, name: &str, arn: &str) -> Answer<()> {
        let (client, doing) = (self.clients.iam(), "denying everything to");
        if kind == "user" {
            let sent = client.attach_user_policy().user_name(name).policy_arn(arn).send().await;
            return sent.map(drop).map_err(|e| failed(doing, name, &e));
        }
        let sent = client.attach_role_policy().role_name(name).policy_arn(arn).send().await;
        sent.map(drop).map_err(|e| failed(doing, name, &e))
    }

    async fn detach(&self, kind: &str, name: &str, arn: &str) -> Answer<()> {
        let (client, doing) = (self.clients.iam(), "taking the deny from");
        if kind == "user" {
            let sent = client.detach_user_policy().user_name(name).policy_arn(arn).send().await;
            return gone_is_done(sent.map(drop).map_err(|e| failed(doing, name, &e)));
        }
        let sent = client.detach_role_policy().role_name(name).policy_arn(arn).send().await;
        gone_is_done(sent.map(drop).map_err(|e| failed(doing, name, &e)))
    }

    /// The policy that denies the sessions of before a time, made or found.
    async fn policy_before(&self, scope: &Scope, role: &str, time: &str) -> Answer<String> {
        let (client, arn, document) = (self.clients.iam(), self.arn_before(scope, role, time)?, document(time));
        let call = client.create_policy().path(format!("/picket/{}/", self.stack)).policy_name(name_of(&arn));
        let call = call.description(format!("Picket denies the sessions of before {time}. Goes at its undo."));
        match call.policy_document(document.to_string()).send().await {
            Ok(_) => Ok(arn),
            Err(error) if code(&error) == "EntityAlreadyExists" => self.says(&arn, &document).await.map(|()| arn),
            Err(error) => Err(failed("making the deny for", role, &error)),
        }
    }

    /// Whether the policy that is there says what ours would.
    async fn says(&self, arn: &str, wanted: &Value) -> Answer<()> {
        let (client, doing) = (self.clients.iam(), "reading the deny that is there");
        let found = client.get_policy().policy_arn(arn).send().await.map_err(|e| failed(doing, arn, &e))?;
        let version = found.policy().and_then(|p| p.default_version_id()).unwrap_or("v1");
        let text = client.get_policy_version().policy_arn(arn).version_id(version).send().await;
        let text = text.map_err(|e| failed(doing, arn, &e))?;
        let text = crate::levers::decoded(text.policy_version().and_then(|v| v.document()).unwrap_or_default());
        if serde_json::from_str::<Value>(&text).is_ok_and(|found| &found == wanted) {
            return Ok(());
        }
        Err(PortError::new(doing, arn, Kind::Other, "it says something else and was not attached; who made it?"))
    }

    fn ours(&self, scope: &Scope) -> String {
        format!("arn:{}:iam::{}:policy/picket/{}/{OURS}", partition(scope), scope.account, self.stack)
    }

    fn arn_before(&self, scope: &Scope, role: &str, time: &str) -> Answer<String> {
        let at: Timestamp =
            time.parse().map_err(|_| PortError::new("reading the time", time, Kind::Other, "it is no time"))?;
        Ok(format!("{}{role}-{}", self.ours(scope), at.as_second()))
    }
}

fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// The time that one of our policies is named after.
fn time_of(arn: &str) -> Option<String> {
    let second = arn.rsplit('-').next()?.parse().ok()?;
    Timestamp::from_second(second).ok().map(|t| t.to_string())
}

fn document(time: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "PicketDeniesTheSessionsOfBefore",
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": time}},
    }]})
}

fn partition(scope: &Scope) -> &'static str {
    match scope.region.as_str() {
        r if r.starts_with("cn-") => "aws-cn",
        r if r.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}
