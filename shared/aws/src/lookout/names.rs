//! Things that are told by their names and tags alone: rules, queues, buckets, secrets, parameters. No value, no object and
//! no message is read. Each list is read page by page, so many pages and no more.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use aws_sdk_ssm::types::ParameterStringFilter;
use picket_model::landscape::{Named, NamedKind, Sight, Tags};
use picket_model::{Region, Untrusted};
use picket_pipeline::ports::{Answer, Kind, PortError};
use picket_pipeline::scan::See;

use super::machines::text;
use super::{Watch, failed};

/// How many pages of a list are read at most.
const PAGES: usize = 20;
/// How names of secrets of Kubernetes tools begin: Cluster API's user data of nodes, ROSA's key of its issuer.
const SECRETS: [&str; 2] = ["aws.cluster.x-k8s.io", "rosa-private-key"];
/// What names of parameters of Kubernetes tools hold.
const PARAMETERS: [&str; 6] = ["cluster.x-k8s.io", "k3s", "kubeadm", "kubeconfig", "rke2", "talos"];

impl Watch {
    /// The names of rules; some tools make theirs in the cluster's name.
    pub(super) async fn names_of_rules(&self, region: &Region, see: See<'_>) -> Answer<()> {
        const ACTION: &str = "events:ListRules";
        let client = aws_sdk_eventbridge::Client::new(&self.clients.in_region(region));
        let mut token = None;
        for _ in 0..PAGES {
            self.turns.wait(region).await;
            let answer = client.list_rules().limit(100).set_next_token(token).send().await.map_err(failed(ACTION))?;
            answer.rules().iter().filter_map(|r| r.name()).for_each(|name| see(named(NamedKind::Rule, name)));
            token = answer.next_token.filter(|t| !t.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
        Err(too_many(ACTION))
    }

    /// The names of queues.
    pub(super) async fn names_of_queues(&self, region: &Region, see: See<'_>) -> Answer<()> {
        const ACTION: &str = "sqs:ListQueues";
        let client = aws_sdk_sqs::Client::new(&self.clients.in_region(region));
        let mut token = None;
        for _ in 0..PAGES {
            self.turns.wait(region).await;
            let call = client.list_queues().max_results(1000).set_next_token(token);
            let answer = call.send().await.map_err(failed(ACTION))?;
            let names = answer.queue_urls().iter().filter_map(|url| url.rsplit('/').next());
            names.for_each(|name| see(named(NamedKind::Queue, name)));
            token = answer.next_token.filter(|t| !t.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
        Err(too_many(ACTION))
    }

    /// The buckets of this Region, by name, with their tags as the tagging service lists them in one go.
    pub(super) async fn buckets(&self, region: &Region, see: See<'_>) -> Answer<()> {
        let mut all: BTreeMap<String, Tags> = BTreeMap::new();
        let listed = self.names_of_buckets(region, &mut all).await;
        let tagged = if all.is_empty() { Ok(()) } else { self.tags_of_buckets(region, &mut all).await };
        for (name, tags) in all {
            let (kind, values) = (NamedKind::Bucket, Vec::new());
            see(Sight::Named(Named { kind, name: Untrusted::new(&name), values, tags }));
        }
        listed.and(tagged)
    }

    async fn names_of_buckets(&self, region: &Region, all: &mut BTreeMap<String, Tags>) -> Answer<()> {
        const ACTION: &str = "s3:ListAllMyBuckets";
        let client = aws_sdk_s3::Client::new(&self.clients.in_region(region));
        let mut token = None;
        for _ in 0..PAGES {
            self.turns.wait(region).await;
            let call = client.list_buckets().bucket_region(region.as_str()).max_buckets(1000);
            let answer = call.set_continuation_token(token).send().await.map_err(failed(ACTION))?;
            let here = answer.buckets().iter().filter(|b| b.bucket_region().is_none_or(|r| r == region.as_str()));
            all.extend(here.filter_map(|b| Some((b.name()?.to_owned(), Tags::new()))));
            token = answer.continuation_token.filter(|t| !t.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
        Err(too_many(ACTION))
    }

    async fn tags_of_buckets(&self, region: &Region, all: &mut BTreeMap<String, Tags>) -> Answer<()> {
        const ACTION: &str = "tag:GetResources";
        let client = aws_sdk_resourcegroupstagging::Client::new(&self.clients.in_region(region));
        let mut token = None;
        for _ in 0..PAGES {
            self.turns.wait(region).await;
            let call = client.get_resources().resource_type_filters("s3").resources_per_page(100);
            let answer = call.set_pagination_token(token).send().await.map_err(failed(ACTION))?;
            for found in answer.resource_tag_mapping_list() {
                let name = found.resource_arn().and_then(|arn| arn.rsplit(':').next()).unwrap_or_default();
                if let Some(tags) = all.get_mut(name) {
                    tags.extend(found.tags().iter().map(|t| (text(Some(t.key())), text(Some(t.value())))));
                }
            }
            token = answer.pagination_token.filter(|t| !t.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
        Err(too_many(ACTION))
    }

    /// The names of secrets that tools of Kubernetes leave.
    pub(super) async fn names_of_secrets(&self, region: &Region, see: See<'_>) -> Answer<()> {
        const ACTION: &str = "secretsmanager:ListSecrets";
        let client = aws_sdk_secretsmanager::Client::new(&self.clients.in_region(region));
        let begins = SECRETS.iter().map(|s| (*s).to_owned()).collect();
        let wanted = Filter::builder().key(FilterNameStringType::Name).set_values(Some(begins)).build();
        let mut token = None;
        for _ in 0..PAGES {
            self.turns.wait(region).await;
            let call = client.list_secrets().filters(wanted.clone()).max_results(100).set_next_token(token);
            let answer = call.send().await.map_err(failed(ACTION))?;
            for secret in answer.secret_list() {
                let tags = secret.tags().iter().map(|t| (text(t.key()), text(t.value()))).collect();
                let (kind, values) = (NamedKind::Secret, Vec::new());
                see(Sight::Named(Named { kind, name: text(secret.name()), values, tags }));
            }
            token = answer.next_token.filter(|t| !t.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
        Err(too_many(ACTION))
    }

    /// The names of parameters that tools of Kubernetes leave.
    pub(super) async fn names_of_parameters(&self, region: &Region, see: See<'_>) -> Answer<()> {
        const ACTION: &str = "ssm:DescribeParameters";
        let client = aws_sdk_ssm::Client::new(&self.clients.in_region(region));
        let hold = PARAMETERS.iter().map(|s| (*s).to_owned()).collect();
        let wanted = ParameterStringFilter::builder().key("Name").option("Contains").set_values(Some(hold)).build();
        let wanted = wanted.map_err(|e| PortError::new("calling", ACTION, Kind::Other, &e.to_string()))?;
        let mut token = None;
        for _ in 0..PAGES {
            self.turns.wait(region).await;
            let call = client.describe_parameters().parameter_filters(wanted.clone()).max_results(50);
            let answer = call.set_next_token(token).send().await.map_err(failed(ACTION))?;
            answer.parameters().iter().filter_map(|p| p.name()).for_each(|name| see(named(NamedKind::Parameter, name)));
            token = answer.next_token.filter(|t| !t.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
        Err(too_many(ACTION))
    }
}

fn too_many(action: &'static str) -> PortError {
    let why = format!("{action} has more than {PAGES} pages; the rest was not read");
    PortError::new("calling", action, Kind::Other, &why)
}

fn named(kind: NamedKind, name: &str) -> Sight {
    Sight::Named(Named { kind, name: Untrusted::new(name), values: Vec::new(), tags: BTreeMap::new() })
}
