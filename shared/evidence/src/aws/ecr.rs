//! Container repositories: scanning, tags, life cycle, and who may use them.

use aws_sdk_ecr::Client;
use aws_sdk_ecr::types as ecr;
use futures::StreamExt as _;
use picket_model::Document;
use serde_json::json;

use crate::aws::json::Text as _;
use crate::aws::policy::Policy;
use crate::aws::tell::{AT_ONCE, Ask, Service, Tell as _, WHOLE_LIST, code, reason};
use crate::collector::Reach;

const KIND: &str = "ecr.repository";

/// Repositories.
pub static ECR: Service = Service {
    reach: Reach::Region,
    kinds: &[KIND],
    permissions: &[
        "ecr:DescribeRepositories",
        "ecr:GetLifecyclePolicy",
        "ecr:GetRegistryScanningConfiguration",
        "ecr:GetRepositoryPolicy",
    ],
    collect: |ask| Box::pin(collect(ask)),
};

/// What the registry scans, or why that is not known.
type Scanning = Result<Option<ecr::RegistryScanningConfiguration>, String>;

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let listed = client.describe_repositories().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let repositories = match listed {
        Ok(list) => list,
        Err(error) => return vec![ask.failed(KIND, WHOLE_LIST, "ecr:DescribeRepositories", &error)],
    };
    let answer = client.get_registry_scanning_configuration().send().await;
    let scanning: Scanning =
        answer.map(|a| a.scanning_configuration).map_err(|e| reason("ecr:GetRegistryScanningConfiguration", &e));
    let read = |r| read(ask, &client, r, &scanning);
    futures::stream::iter(repositories).map(read).buffer_unordered(AT_ONCE).collect().await
}

async fn read(ask: Ask<'_>, client: &Client, r: ecr::Repository, scanning: &Scanning) -> Document {
    let name = r.repository_name().text();
    let on_push = r.image_scanning_configuration().is_some_and(|s| s.scan_on_push());
    let mut value = json!({
        "repository_name": name,
        "image_tag_mutability": r.image_tag_mutability().map(|m| m.as_str()),
        "image_scanning_configuration": {"scan_on_push": on_push},
        "unread": {},
    });
    match scanning {
        _ if on_push => value["scanned"] = true.into(),
        Ok(registry) => value["scanned"] = registry.as_ref().is_some_and(|c| registry_scans(c, &name)).into(),
        Err(why) => value["unread"]["scanned"] = why.as_str().into(),
    }
    let (lifecycle, policy) = futures::join!(
        client.get_lifecycle_policy().repository_name(&name).send(),
        client.get_repository_policy().repository_name(&name).send(),
    );
    match lifecycle {
        Ok(_) => value["lifecycle_policy"] = true.into(),
        Err(e) if code(&e) == Some("LifecyclePolicyNotFoundException") => value["lifecycle_policy"] = false.into(),
        Err(e) => value["unread"]["lifecycle_policy"] = reason("ecr:GetLifecyclePolicy", &e).into(),
    }
    match policy {
        Ok(answer) => {
            value["policy"] = Policy::parse(answer.policy_text().unwrap_or_default()).facts(ask.place.account.as_str())
        }
        Err(e) if code(&e) == Some("RepositoryPolicyNotFoundException") => value["policy"] = Policy::none(),
        Err(e) => value["unread"]["policy"] = reason("ecr:GetRepositoryPolicy", &e).into(),
    }
    ask.known(KIND, name, "ecr:DescribeRepositories", value)
}

/// Whether a rule of the registry scans the repository.
fn registry_scans(registry: &ecr::RegistryScanningConfiguration, name: &str) -> bool {
    let scans = |r: &&ecr::RegistryScanningRule| r.scan_frequency() != &ecr::ScanFrequency::Manual;
    let filters = registry.rules().iter().filter(scans).flat_map(|r| r.repository_filters());
    filters.map(|f| f.filter()).any(|f| wildcard(f, name))
}

/// ECR's filters: `*` stands for anything; without one it is a prefix.
fn wildcard(filter: &str, name: &str) -> bool {
    if !filter.contains('*') {
        return name.starts_with(filter);
    }
    let pattern = filter.split('*').map(regex::escape).collect::<Vec<_>>().join(".*");
    regex::Regex::new(&format!("^{pattern}$")).is_ok_and(|p| p.is_match(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_filter_is_a_prefix_or_a_wildcard() {
        for (filter, name, matches) in [
            ("*", "any/thing", true),
            ("prod", "prod/api", true),
            ("prod*", "dev/prod", false),
            ("*api", "prod/api", true),
        ] {
            assert_eq!(wildcard(filter, name), matches, "{filter} {name}");
        }
    }
}
