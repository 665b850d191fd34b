//! What Picket remembers, in one DynamoDB table. Partition keys say what an item is, and each function's role is
//! confined to the ones it needs:
//!
//! | pk | sk | what |
//! |---|---|---|
//! | `policy` | `current`, `good` | the policy's text |
//! | `switch` | `pause` | why all changes are paused |
//! | `seen#<account>` | `watching`, `region#…`, `principal#…`, `image#…`, `type#…` | when it was first seen |
//! | `asset#<account>#<region>` | asset id | the inventory of instances and EKS clusters |
//! | `cluster#<account>#<region>` | cluster id | clusters of every kind, as the sweep found them |
//! | `places` | `<account>#<region>` | what the last look at a place came to |
//! | `seen#<account>` | `watching`, `region#…`, `principal#…`, `image#…`, `running#<region>` | when it was first seen; how many instances run |
//! | `asset#<account>#<region>` | asset id | the inventory |
//! | `hold#<account>#<region>` | instance id | quarantine holds with their captures |
//! | `case#<case>` | `journal#<time>#…` | the journal |
//! | `vpc#<account>#<region>` | VPC id | the quarantine group that we made |
//! | `blast#<account>` | hour, hour and counter | how many were held in that hour, in all and of a group |
//! | `blast#<account>` | hour | how many were held in that hour |
//! | `fix#<account>#<region>` | fix id | fixes with their captures and approvals |
//! | `turn#<account>#<region>` | turn, such as `nodes/prod` | which fix acts on what is changed one after another |
//! | `notice#<id>` | `told`, or a channel | notices that people were told |
//! | `notice#waiting` | notice id | notices that are kept back |
//! | `notice#window#<group>` | `window` | until when what is like a notice is kept back |
//! | `finding#<account>` | finding id | findings, open and lately resolved |
//! | `benchmark#<account>` | benchmark id | what its controls came to in the last sweep |
//! | `benchmark#<account>#unseen` | `unseen` | what the last sweep of all rules could not read |
//! | `episode#<account>` | `<time>#<notice>` | what was told, for the live report |
//! | `report#<account>` | `hub` | until when Security Hub knows of findings |
//! | `report#<home>` | `pen` | who writes the live report, and when the last one was begun |
//! | `trend#<account>` | date | how many findings were open that day |
//! | `audit#<account>#<region>` | `head` | where the audit chain ends: its last segment, record and hash |
//! | `rules` | `part-…` | the user's own rules, benchmarks and waivers |

mod atlas;
mod audit;
mod findings;
mod fixes;
mod holds;
mod inventory;
mod outbox;
mod policies;
mod reports;
mod waiting;

pub use audit::JournalRow;
pub use inventory::Known;
pub use reports::Pen;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use picket_model::{AccountId, Scope};
use picket_pipeline::ports::{Answer, Kind, PortError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Clients;
use crate::error::port_error;

/// An item's attributes.
type Item = HashMap<String, AttributeValue>;

/// The state table.
#[derive(Debug)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// The table named `name`.
    #[must_use]
    pub fn new(clients: &Clients, name: &str) -> Self {
        Self { client: Client::new(clients.config()), name: name.to_owned() }
    }

    async fn get(&self, doing: &'static str, pk: &str, sk: &str) -> Answer<Option<Item>> {
        let call = self.client.get_item().table_name(&self.name).consistent_read(true);
        let answer = call.key("pk", text(pk)).key("sk", text(sk)).send().await;
        Ok(answer.map_err(|e| port_error(doing, pk, &e))?.item)
    }

    async fn query(&self, doing: &'static str, pk: &str, sk_prefix: &str) -> Answer<Vec<Item>> {
        let call = self.client.query().table_name(&self.name).consistent_read(true);
        let call = call.expression_attribute_values(":pk", text(pk));
        let call = if sk_prefix.is_empty() {
            call.key_condition_expression("pk = :pk")
        } else {
            call.key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
                .expression_attribute_values(":sk", text(sk_prefix))
        };
        let mut items = Vec::new();
        let mut pages = call.into_paginator().send();
        while let Some(page) = pages.next().await {
            items.extend(page.map_err(|e| port_error(doing, pk, &e))?.items.unwrap_or_default());
        }
        Ok(items)
    }
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn string_of(item: &Item, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}

/// An item of key and body. Its JSON is the whole truth; other attributes serve conditions.
fn item(pk: &str, sk: &str, body: &impl Serialize) -> Answer<Item> {
    Ok(HashMap::from([
        ("pk".to_owned(), text(pk)),
        ("sk".to_owned(), text(sk)),
        ("body".to_owned(), text(write(body)?)),
    ]))
}

fn write(body: &impl Serialize) -> Answer<String> {
    serde_json::to_string(body).map_err(|e| PortError::new("writing", "an item", Kind::Other, &e.to_string()))
}

fn read<T: DeserializeOwned>(item: &Item) -> Answer<T> {
    let name = string_of(item, "pk").unwrap_or_default();
    let wrong = |why: &str| PortError::new("reading the item", &name, Kind::Other, why);
    let body = string_of(item, "body").ok_or_else(|| wrong("it has no body"))?;
    serde_json::from_str(&body).map_err(|e| wrong(&e.to_string()))
}

fn by_account(what: &str, account: &AccountId) -> String {
    format!("{what}#{account}")
}

fn by_scope(what: &str, scope: &Scope) -> String {
    format!("{what}#{}#{}", scope.account, scope.region)
}
