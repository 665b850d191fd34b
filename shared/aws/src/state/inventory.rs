//! The inventory of assets, and when things were first seen.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use picket_model::{AccountId, Asset, NodeOf, Observation, Scope};
use picket_pipeline::ports::{Answer, Inventory, Kind, Look, PortError, Seen};
use picket_pipeline::scan::atlas::{self, Changed};

use super::{Table, by_account, by_scope, number, string_of, text, write};
use crate::error::port_error;

/// How many writes run at once.
const AT_ONCE: usize = 25;

#[async_trait]
impl Inventory for Table {
    async fn first_seen(&self, account: &AccountId, what: &[Seen], at: Timestamp) -> Answer<Vec<Timestamp>> {
        try_join_all(what.iter().map(|seen| self.first_seen_one(account, seen, at))).await
    }

    async fn remember(&self, observations: &[Observation]) -> Answer<Vec<String>> {
        let mut writes = Vec::with_capacity(observations.len());
        for observation in observations {
            writes.push(self.remember_one(observation));
        }
        let fresh: Vec<Option<String>> = futures::stream::iter(writes).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(fresh.into_iter().flatten().collect())
    }

    async fn asked_for(&self, scope: &Scope, ids: &[String]) -> Answer<()> {
        let pk = &by_scope("asset", scope);
        let mark = |id: &String| {
            let call = self.client.update_item().table_name(&self.name).key("pk", text(pk)).key("sk", text(id));
            let call = call.update_expression("SET asked = :yes");
            let call = call.expression_attribute_values(":yes", AttributeValue::Bool(true));
            let id = id.clone();
            async move { call.send().await.map(drop).map_err(|e| port_error("noting the first judgement of", &id, &e)) }
        };
        let writes: Vec<_> = ids.iter().map(mark).collect();
        futures::stream::iter(writes).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await.map(drop)
    }

    async fn keep_running(&self, scope: &Scope, count: usize) -> Answer<()> {
        let pk = by_account("seen", &scope.account);
        let call = self.client.put_item().table_name(&self.name).item("pk", text(&pk));
        let call = call.item("sk", text(format!("running#{}", scope.region))).item("count", number(count));
        call.send().await.map(drop).map_err(|e| port_error("keeping the count of", &pk, &e))
    }

    async fn claim_look(&self, look: &Look<'_>) -> Answer<bool> {
        let pk = by_account("seen", &look.scope.account);
        let sk = format!("launch#{}#{}", look.scope.region, look.reservation);
        let call = self.client.put_item().table_name(&self.name).item("pk", text(&pk)).item("sk", text(sk));
        let call = call
            .item("by", text(look.by.as_str()))
            .item("until", number(look.until.as_millisecond()))
            .item("expires_at", number(look.until.as_second() + 3600))
            .condition_expression("attribute_not_exists(pk) OR #by = :by OR #until < :now")
            .expression_attribute_names("#by", "by")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":by", text(look.by.as_str()))
            .expression_attribute_values(":now", number(look.now.as_millisecond()));
        match call.send().await {
            Ok(_) => Ok(true),
            Err(error) => {
                let error = port_error("taking a launch to look at in", &pk, &error);
                if error.kind == Kind::Conflict { Ok(false) } else { Err(error) }
            }
        }
    }
}

impl Table {
    async fn first_seen_one(&self, account: &AccountId, seen: &Seen, at: Timestamp) -> Answer<Timestamp> {
        let pk = by_account("seen", account);
        let call = self.client.update_item().table_name(&self.name).key("pk", text(&pk)).key("sk", text(key(seen)));
        let call = call.update_expression("SET first_seen = if_not_exists(first_seen, :at)");
        let call = call.expression_attribute_values(":at", text(at.to_string())).return_values(ReturnValue::AllNew);
        let answer = call.send().await.map_err(|e| port_error("noting what was first seen in", &pk, &e))?;
        let since = answer.attributes().and_then(|a| string_of(a, "first_seen")).and_then(|t| t.parse().ok());
        Ok(since.unwrap_or(at))
    }

    /// Adds an asset, or refreshes what is known of it; when it was first seen, and how, stays. What changed is added to
    /// its history, which takes a second write and only then. Answers its id where nobody has asked for its judgement.
    async fn remember_one(&self, observation: &Observation) -> Result<Option<String>, PortError> {
        let asset = &observation.asset;
        let pk = by_scope("asset", asset.scope());
        let call = self.client.update_item().table_name(&self.name).key("pk", text(&pk)).key("sk", text(asset.id()));
        let call = call
            .update_expression(
                "SET body = :body, last_seen = :at, first_seen = if_not_exists(first_seen, :at), \
                 found_by = if_not_exists(found_by, :by), node_of = :node REMOVE gone_at",
            )
            .return_values(ReturnValue::AllOld)
            .expression_attribute_values(":body", text(write(asset)?))
            .expression_attribute_values(":at", text(observation.read_at.to_string()))
            .expression_attribute_values(":by", text(observation.trigger.kind.to_string()))
            .expression_attribute_values(":node", text(write(&observation.node_of)?));
        let answer = call.send().await.map_err(|e| port_error("adding to the inventory", asset.id(), &e))?;
        let Some(was) = answer.attributes() else { return Ok(Some(asset.id())) };
        let fresh = (!was.contains_key("asked")).then(|| asset.id());
        let Ok(before) = super::read::<Asset>(was) else { return Ok(fresh) };
        let mut changes = atlas::changes(&before, asset, observation.read_at);
        if let Some(gone) = string_of(was, "gone_at") {
            changes.push(Changed {
                at: observation.read_at,
                what: "gone".to_owned(),
                from: gone,
                to: "back".to_owned(),
            });
        }
        if !changes.is_empty() {
            self.add_history(&pk, asset.id(), history(was), changes).await?;
        }
        Ok(fresh)
    }

    /// Two looks at once may lose one's change; what the asset is now is right in any case.
    async fn add_history(&self, pk: &str, id: String, was: Vec<Changed>, new: Vec<Changed>) -> Answer<()> {
        let call = self.client.update_item().table_name(&self.name).key("pk", text(pk)).key("sk", text(&id));
        let call = call.update_expression("SET history = :history");
        let call = call.expression_attribute_values(":history", text(write(&atlas::bounded(was, new))?));
        call.send().await.map(drop).map_err(|e| port_error("adding to the history of", &id, &e))
    }
}

fn history(row: &super::Item) -> Vec<Changed> {
    string_of(row, "history").and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// A row of the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The asset as it was read last.
    pub asset: Asset,
    /// The cluster that it is a node of.
    pub node_of: Option<NodeOf>,
    /// When it was first seen, as text of RFC 3339.
    pub first_seen: String,
    /// By which kind of trigger.
    pub found_by: String,
    /// When it was seen last, as text of RFC 3339.
    pub last_seen: String,
    /// Since when it is gone.
    pub gone_at: Option<String>,
    /// What changed, oldest first.
    pub history: Vec<Changed>,
}

impl Table {
    /// Whether something was taken for looking at (`claim_look`) within the last hour.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn looked(&self, scope: &Scope, what: &str) -> Answer<bool> {
        let (pk, sk) = (by_account("seen", &scope.account), format!("launch#{}#{what}", scope.region));
        Ok(self.get("looking for a mark in", &pk, &sk).await?.is_some())
    }

    /// One asset of an account and Region, by its id.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn asset(&self, scope: &Scope, id: &str) -> Answer<Option<Known>> {
        let row = self.get("reading from the inventory", &by_scope("asset", scope), id).await?;
        row.as_ref().map(known).transpose()
    }

    /// All that is known of an account and Region.
    ///
    /// # Errors
    /// If it cannot be listed.
    pub async fn inventory(&self, scope: &Scope) -> Answer<Vec<Known>> {
        let rows = self.query("listing the inventory of", &by_scope("asset", scope), "").await?;
        rows.iter().map(known).collect()
    }
}

fn known(row: &super::Item) -> Answer<Known> {
    Ok(Known {
        asset: super::read(row)?,
        node_of: string_of(row, "node_of").and_then(|n| serde_json::from_str(&n).ok()).flatten(),
        first_seen: string_of(row, "first_seen").unwrap_or_default(),
        found_by: string_of(row, "found_by").unwrap_or_default(),
        last_seen: string_of(row, "last_seen").unwrap_or_default(),
        gone_at: string_of(row, "gone_at"),
        history: history(row),
    })
}

fn key(seen: &Seen) -> String {
    match seen {
        Seen::Watching => "watching".to_owned(),
        Seen::Principal(arn) => format!("principal#{arn}"),
        Seen::Region(region) => format!("region#{region}"),
        Seen::Image(image) => format!("image#{image}"),
        Seen::InstanceType(kind) => format!("type#{kind}"),
    }
}
