//! IAM as far as a scan needs it: the roles of instances, and the providers of identities. IAM has no Regions, so each
//! is read once for an account and told in every Region.

use std::sync::PoisonError;

use picket_model::landscape::{Oidc, Role, Sight, Tags};
use picket_model::{Region, Untrusted};
use picket_pipeline::ports::{Answer, Kind};
use picket_pipeline::scan::See;
use serde_json::Value;

use super::machines::{some, text};
use super::{Watch, failed};

impl Watch {
    pub(super) async fn oidc(&self, region: &Region, see: See<'_>) -> Answer<()> {
        let providers = self.providers_of_account(region).await?;
        let elsewhere = |url: &str| {
            let of_eks = url.strip_prefix("oidc.eks.").and_then(|rest| rest.split('.').next());
            of_eks.is_some_and(|of| of != region.as_str())
        };
        let here = providers.iter().filter(|p| !elsewhere(p.url.as_str()));
        here.for_each(|provider| see(Sight::Oidc(provider.clone())));
        Ok(())
    }

    async fn providers_of_account(&self, region: &Region) -> Answer<Vec<Oidc>> {
        let mut known = self.providers.lock().await;
        if let Some(providers) = known.as_ref() {
            return Ok(providers.clone());
        }
        self.turns.wait(region).await;
        let answer = self.clients.iam().list_open_id_connect_providers().send().await;
        let answer = answer.map_err(failed("iam:ListOpenIDConnectProviders"))?;
        let arns = answer.open_id_connect_provider_list().iter().filter_map(|p| p.arn());
        let urls = arns.filter_map(|arn| arn.split_once(":oidc-provider/")).map(|(_, url)| Untrusted::new(url));
        let providers: Vec<_> = urls.map(|url| Oidc { url, tags: Tags::new() }).collect();
        *known = Some(providers.clone());
        Ok(providers)
    }

    /// The roles of these instance profiles. One that is gone meanwhile has none.
    pub(super) async fn roles_of(&self, region: &Region, profiles: &[Untrusted]) -> Answer<Vec<Role>> {
        let mut all: Vec<Role> = Vec::new();
        for profile in profiles {
            let known = self.roles.lock().unwrap_or_else(PoisonError::into_inner).get(profile).cloned();
            let roles = match known {
                Some(roles) => roles,
                None => {
                    let read = self.read_roles(region, profile).await?;
                    self.roles.lock().unwrap_or_else(PoisonError::into_inner).insert(profile.clone(), read.clone());
                    read
                }
            };
            all.extend(roles.into_iter().filter(|role| !all.iter().any(|r| r == role)).collect::<Vec<_>>());
        }
        Ok(all)
    }

    async fn read_roles(&self, region: &Region, profile: &Untrusted) -> Answer<Vec<Role>> {
        let name = profile.as_str().rsplit('/').next().unwrap_or_default();
        self.turns.wait(region).await;
        let answer = self.clients.iam().get_instance_profile().instance_profile_name(name).send().await;
        let answer = match answer.map_err(failed("iam:GetInstanceProfile")) {
            Err(error) if error.kind == Kind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut roles = Vec::new();
        for role in answer.instance_profile().map(|p| p.roles()).unwrap_or_default() {
            self.turns.wait(region).await;
            let policies = self.clients.iam().list_attached_role_policies().role_name(role.role_name()).send().await;
            let policies = policies.map_err(failed("iam:ListAttachedRolePolicies"))?;
            roles.push(Role {
                name: Untrusted::new(role.role_name()),
                profiles: vec![Untrusted::new(name)],
                policies: policies.attached_policies().iter().filter_map(|p| some(p.policy_name())).collect(),
                actions: Vec::new(),
                trusts: trusts(role.assume_role_policy_document().unwrap_or_default()),
                tags: role.tags().iter().map(|t| (text(Some(t.key())), text(Some(t.value())))).collect(),
            });
        }
        Ok(roles)
    }
}

/// The principals that a trust policy names; IAM hands it out percent-encoded.
fn trusts(document: &str) -> Vec<Untrusted> {
    let document: Value = serde_json::from_str(&decoded(document)).unwrap_or_default();
    let mut all = Vec::new();
    for statement in many(&document["Statement"]) {
        for kind in ["Service", "Federated", "AWS"] {
            all.extend(many(&statement["Principal"][kind]).into_iter().filter_map(Value::as_str).map(Untrusted::new));
        }
    }
    all
}

fn many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(all) => all.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// Percent-encoding taken back.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trust_policy_names_its_services_however_it_is_written() {
        let plain =
            r#"{"Statement":[{"Principal":{"Service":"ec2.amazonaws.com"}},{"Principal":{"Federated":["a","b"]}}]}"#;
        let encoded: String = plain.bytes().map(|b| format!("%{b:02X}")).collect();
        for document in [plain, encoded.as_str()] {
            let all: Vec<_> = trusts(document).iter().map(ToString::to_string).collect();
            assert_eq!(all, ["ec2.amazonaws.com", "a", "b"]);
        }
        assert!(trusts("%7Bnot json").is_empty());
    }
}
