//! Nodes of clusters, asked by Systems Manager with the one document of the stack that reads them. A node that does not
//! answer is a document that says why.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ssm::types::{CommandInvocationStatus, PingStatus};
use futures::{FutureExt as _, StreamExt as _};
use picket_model::{Document, Fact};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::report::{self, ReportError};
use super::user_data::source::Origin;
use super::user_data::{self, source};
use crate::aws::joined::nodes::of_tags;
use crate::aws::tell::{Tell as _, WHOLE_LIST, code, reason};
use crate::collector::Collector;
use crate::session::Session;

const KIND: &str = "node";
const SEND: &str = "ssm:SendCommand";
const ANSWER: &str = "ssm:GetCommandInvocation";
/// The variable with the stack's name: the document is that stack's.
const STACK: &str = "PICKET_STACK";
/// How many nodes are asked at once.
const AT_ONCE: usize = 10;
/// How often an answer is looked for, and how long between two looks: at first one second, and longer each time.
const LOOKS: u32 = 60;
const BETWEEN: Duration = Duration::from_secs(3);
/// How long a command may wait for the node's agent, in seconds: less is not taken.
const DELIVERED_WITHIN: i32 = 30;
/// How long all nodes of a place are asked. An assessment in AWS has 15 minutes, and its other evidence is worth keeping:
/// nodes that were not reached by then are unknown.
const IN_ALL: Duration = Duration::from_secs(9 * 60);
/// The parts of a report in portions that each fit into the 24,000 characters that Run Command shows, for nodes whose
/// report as a whole does not. Nodes so need no right to write anywhere.
const PORTIONS: &[&str] = &[
    "host,processes,sockets,mining",
    "files",
    "kubelet,kubernetes,docker,containerd,bottlerocket",
    "packages",
    "systemd,modules,mounts,sysctl,sshd,audit,accounts,groups",
    "configs",
    "guarded,settings",
    "strays",
];

/// Reads every node that Systems Manager reaches.
#[derive(Debug)]
pub struct Nodes;

#[async_trait]
impl Collector for Nodes {
    fn kinds(&self) -> &'static [&'static str] {
        &[KIND]
    }

    /// Without `ssm:SendCommand`: that is granted for one document and instances, never for all.
    fn permissions(&self) -> &'static [&'static str] {
        const ALL: &[&str] = &[
            "autoscaling:DescribeAutoScalingGroups",
            "autoscaling:DescribeLaunchConfigurations",
            "ec2:DescribeInstanceAttribute",
            "ec2:DescribeInstances",
            "ec2:DescribeLaunchTemplateVersions",
            "ssm:DescribeInstanceInformation",
            ANSWER,
        ];
        ALL
    }

    async fn collect(&self, session: &Session) -> Vec<Document> {
        let nodes = match instances(session).await {
            Ok(nodes) => nodes,
            Err(failed) => return vec![*failed],
        };
        if nodes.is_empty() {
            return Vec::new();
        }
        let client = aws_sdk_ssm::Client::new(session.config());
        let reached = reached(&client).await;
        let document = std::env::var(STACK).ok().map(|stack| format!("{stack}-read-node"));
        let ends = Instant::now() + IN_ALL;
        let asked: Vec<_> = nodes
            .into_iter()
            .map(|node| {
                let (client, reached, document) = (&client, &reached, document.as_deref());
                async move {
                    let asked = tokio::time::timeout_at(ends, one(session, client, reached, document, &node)).await;
                    asked.unwrap_or_else(|_| late(session, &node))
                }
                .boxed()
            })
            .collect();
        futures::stream::iter(asked).buffer_unordered(AT_ONCE).collect().await
    }
}

/// An instance that is a node.
struct Node {
    instance: String,
    cluster: String,
    origin: Origin,
    /// Who runs it, where that is AWS.
    managed_by: Option<String>,
}

/// The running instances that are nodes of some cluster, by their tags.
async fn instances(session: &Session) -> Result<Vec<Node>, Box<Document>> {
    let client = aws_sdk_ec2::Client::new(session.config());
    let running = aws_sdk_ec2::types::Filter::builder().name("instance-state-name").values("running").build();
    let listed = client.describe_instances().filters(running).into_paginator().items().send();
    let listed = listed.collect::<Result<Vec<_>, _>>().await;
    let call = "ec2:DescribeInstances";
    let reservations = listed.map_err(|e| Box::new(session.failed(KIND, WHOLE_LIST, call, &e)))?;
    let all = reservations.iter().flat_map(aws_sdk_ec2::types::Reservation::instances);
    Ok(all.filter_map(node).collect())
}

fn node(instance: &aws_sdk_ec2::types::Instance) -> Option<Node> {
    let pair = |t: &aws_sdk_ec2::types::Tag| Some((t.key()?.to_owned(), t.value().unwrap_or_default().into()));
    let told = of_tags(&instance.tags().iter().filter_map(pair).collect());
    let is = told["is"] == true;
    is.then(|| Node {
        instance: instance.instance_id().unwrap_or_default().to_owned(),
        cluster: told["cluster"].as_str().unwrap_or_default().to_owned(),
        origin: Origin::of(instance),
        managed_by: manager(instance, told["auto_mode"] == true),
    })
}

/// Instances that an AWS service runs are not the account's to set up, nor to look into.
fn manager(instance: &aws_sdk_ec2::types::Instance, auto_mode: bool) -> Option<String> {
    let operator = instance.operator().filter(|o| o.managed() == Some(true)).and_then(|o| o.principal());
    match operator {
        _ if auto_mode => Some("EKS Auto Mode".to_owned()),
        Some("eks.amazonaws.com") => Some("EKS Auto Mode".to_owned()),
        other => other.map(ToOwned::to_owned),
    }
}

/// Whether Systems Manager reaches each instance that it knows; or why that is not known.
type Reached = Result<BTreeMap<String, bool>, String>;

async fn reached(client: &aws_sdk_ssm::Client) -> Reached {
    let pages = client.describe_instance_information().into_paginator().items().send();
    let listed = pages.collect::<Result<Vec<_>, _>>().await;
    let all = listed.map_err(|e| reason("ssm:DescribeInstanceInformation", &e))?;
    let is_online = |i: &aws_sdk_ssm::types::InstanceInformation| i.ping_status() == Some(&PingStatus::Online);
    Ok(all.iter().map(|i| (i.instance_id().unwrap_or_default().to_owned(), is_online(i))).collect())
}

/// A node that was not asked, or did not answer, before the time of all was over.
fn late(session: &Session, node: &Node) -> Document {
    let mut unread = session.unread(KIND, &node.instance, SEND, "");
    let why = "it was not read within the 9 minutes that all nodes have; assess it alone: `picket assess --node FILE`";
    unread.facts = Fact::unknown(why.to_owned());
    unread
}

async fn one(
    session: &Session,
    client: &aws_sdk_ssm::Client,
    reached: &Reached,
    document: Option<&str>,
    node: &Node,
) -> Document {
    if let Some(manager) = &node.managed_by {
        let value = json!({"instance": node.instance, "cluster": node.cluster, "managed_by": manager});
        return session.document(KIND, &node.instance, value, "ec2:DescribeInstances");
    }
    let report = match askable(reached, document, &node.instance) {
        Ok(document) => whole(client, document, &node.instance).await,
        Err(why) => Err(why),
    };
    match report {
        Ok(report) => {
            session.document(KIND, &node.instance, report::facts(&report, &node.instance, &node.cluster), SEND)
        }
        Err(why) => unreached(session, node, &why).await,
    }
}

/// A node that could not be asked, for this reason: what its user data says, and the reason for all else.
async fn unreached(session: &Session, node: &Node, why: &str) -> Document {
    let read = source::read(session, &node.instance, &node.origin).await;
    let more = match &read {
        Ok(Some((decoded, call))) => {
            let rest = format!("{why}; its user data does not say it");
            if let Some(mut facts) = user_data::facts(decoded, &rest) {
                facts["instance"] = node.instance.as_str().into();
                facts["cluster"] = node.cluster.as_str().into();
                return session.document(KIND, &node.instance, facts, &format!("{call}, its user data"));
            }
            "its user data does not say how it is set up".to_owned()
        }
        Ok(None) => "it has no user data that could say how it is set up".to_owned(),
        Err(reason) => format!("its user data was not read either: {reason}"),
    };
    let mut unread = session.unread(KIND, &node.instance, SEND, "");
    unread.facts = Fact::unknown(format!("{why}; {more}"));
    unread
}

/// The document to ask with, or why this node cannot be asked.
fn askable<'a>(reached: &Reached, document: Option<&'a str>, instance: &str) -> Result<&'a str, String> {
    match reached.as_ref().map_err(Clone::clone)?.get(instance) {
        Some(true) => document.ok_or_else(|| {
            format!(
                "no stack of Picket is named by {STACK}, so nodes cannot be asked; `picket assess --node` reads a file"
            )
        }),
        Some(false) => Err("its Systems Manager agent is not online; see that it runs and reaches ssm".to_owned()),
        None => {
            Err("Systems Manager does not know it; give its role AmazonSSMManagedInstanceCore and run the agent"
                .to_owned())
        }
    }
}

/// A node's report: at once if it fits, else in portions. A portion that does not fit is named in `unread`.
async fn whole(client: &aws_sdk_ssm::Client, document: &str, instance: &str) -> Result<Value, String> {
    match report::read(&ask(client, document, instance, "all").await?) {
        Ok(report) => return Ok(report),
        Err(ReportError::CutOff) => {}
        Err(other) => return Err(other.to_string()),
    }
    let mut all = Value::Null;
    for portion in PORTIONS {
        let told =
            ask(client, document, instance, portion).await.and_then(|t| report::read(&t).map_err(|e| e.to_string()));
        let told = told.unwrap_or_else(|why| json!({"unread": {(*portion): why}}));
        all = if all.is_null() { told } else { report::joined(all, told) };
    }
    if all.get("schema").is_some() { Ok(all) } else { Err("no part of its report could be read".to_owned()) }
}

/// Sends the document to one node, and waits for what it says.
async fn ask(client: &aws_sdk_ssm::Client, document: &str, instance: &str, parts: &str) -> Result<String, String> {
    let call = client.send_command().document_name(document).instance_ids(instance).timeout_seconds(DELIVERED_WITHIN);
    let sent = call.parameters("Sections", vec![parts.to_owned()]).send().await.map_err(|e| reason(SEND, &e))?;
    let id = sent.command().and_then(|c| c.command_id()).unwrap_or_default().to_owned();
    for n in 1..=LOOKS {
        tokio::time::sleep(Duration::from_secs(n.into()).min(BETWEEN)).await;
        let answer = match client.get_command_invocation().command_id(&id).instance_id(instance).send().await {
            Ok(answer) => answer,
            // Not there yet.
            Err(error) if code(&error) == Some("InvocationDoesNotExist") => continue,
            Err(error) => return Err(reason(ANSWER, &error)),
        };
        match answer.status() {
            Some(CommandInvocationStatus::Success) => {
                return Ok(answer.standard_output_content().unwrap_or_default().to_owned());
            }
            Some(
                CommandInvocationStatus::Pending
                | CommandInvocationStatus::InProgress
                | CommandInvocationStatus::Delayed,
            )
            | None => {}
            Some(CommandInvocationStatus::TimedOut) if answer.response_code() < 0 => {
                return Err("its Systems Manager agent is online and took no command; restart the agent".to_owned());
            }
            Some(other) => return Err(format!("the collector ended with {other} there; see Run Command's history")),
        }
    }
    Err("it has not answered in three minutes; it is asked again at the next assessment".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_cannot_be_asked_says_why() {
        let reached: Reached = Ok(BTreeMap::from([("i-on".to_owned(), true), ("i-off".to_owned(), false)]));
        assert_eq!(askable(&reached, Some("picket-read-node"), "i-on"), Ok("picket-read-node"));
        assert!(askable(&reached, Some("d"), "i-off").is_err_and(|why| why.contains("not online")));
        assert!(askable(&reached, Some("d"), "i-none").is_err_and(|why| why.contains("does not know it")));
        assert!(askable(&reached, None, "i-on").is_err_and(|why| why.contains(STACK)));
        let denied: Reached = Err("denied".to_owned());
        assert_eq!(askable(&denied, Some("d"), "i-on"), Err("denied".to_owned()));
    }

    #[test]
    fn only_what_is_tagged_as_a_node_is_asked() {
        let tagged = |key: &str| {
            let tag = aws_sdk_ec2::types::Tag::builder().key(key).value("owned").build();
            aws_sdk_ec2::types::Instance::builder().instance_id("i-1").tags(tag).build()
        };
        assert_eq!(node(&tagged("kubernetes.io/cluster/prod")).map(|n| n.cluster), Some("prod".to_owned()));
        assert!(node(&tagged("Name")).is_none());
    }
}
