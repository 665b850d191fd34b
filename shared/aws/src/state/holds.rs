//! Holds, the journal, the budget and the quarantine groups. Everything that announces a change is written in one
//! transaction with a condition on what was there before.

use async_trait::async_trait;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use futures::future::try_join_all;
use picket_model::{AccountId, CaseId, Entry, GroupId, Hold, InstanceId, Scope, VpcId};
use picket_pipeline::ports::{Answer, Begun, Budget, Holds, Kind, PortError};

use super::{Item, Table, by_account, by_scope, item, number, read, string_of, text, write};
use crate::error::port_error;

/// What holds, budget and entries there may be in one transaction of 100 items.
const MOST_HOLDS: usize = 98;
const CONDITION: &str = "ConditionalCheckFailed";

#[async_trait]
impl Holds for Table {
    async fn begin(&self, new: &[Hold], intents: &[Entry], budget: &Budget) -> Answer<Begun> {
        let Some(first) = new.first() else { return Ok(Begun::All) };
        let doing = "writing the holds of";
        if new.len() + budget.also.len() > MOST_HOLDS {
            let why = format!("{} are too many for one plan; the most is {MOST_HOLDS}", new.len());
            return Err(PortError::new(doing, &first.case, Kind::Other, &why));
        }
        let mut writes = Vec::new();
        for hold in new {
            writes.push(self.put(hold_item(hold)?, "attribute_not_exists(pk)", &[])?);
        }
        writes.extend(self.spend(first, new.len(), budget)?);
        writes.extend(self.journal_write(intents)?);
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(Begun::All),
            Err(error) => match reasons(&error) {
                Some(reasons) => self
                    .why_not(new, 1 + budget.also.len(), reasons)
                    .await?
                    .ok_or_else(|| port_error(doing, &first.case, &error)),
                None => Err(port_error(doing, &first.case, &error)),
            },
        }
    }

    async fn update(&self, expected: &Hold, next: &Hold, entries: &[Entry]) -> Answer<bool> {
        let expected = text(write(expected)?);
        let mut writes = vec![self.put(hold_item(next)?, "body = :expected", &[(":expected", expected)])?];
        writes.extend(self.journal_write(entries)?);
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(true),
            Err(error) => match reasons(&error) {
                Some(reasons) if failed_condition(reasons.first()) => Ok(false),
                _ => Err(port_error("updating the hold of", &next.instance, &error)),
            },
        }
    }

    async fn begin_again(&self, expected: &Hold, next: &Hold, entries: &[Entry], budget: &Budget) -> Answer<Begun> {
        let expected = text(write(expected)?);
        let mut writes = vec![self.put(hold_item(next)?, "body = :expected", &[(":expected", expected)])?];
        let counters = 1 + budget.also.len();
        writes.extend(self.spend(next, 1, budget)?);
        writes.extend(self.journal_write(entries)?);
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(Begun::All),
            Err(error) => match reasons(&error) {
                Some(reasons) if failed_condition(reasons.first()) => Ok(Begun::Existing(Vec::new())),
                Some(reasons) if reasons.iter().skip(1).take(counters).any(|r| failed_condition(Some(r))) => {
                    Ok(Begun::OverBudget)
                }
                _ => Err(port_error("holding anew", &next.instance, &error)),
            },
        }
    }

    async fn hold(&self, scope: &Scope, instance: &InstanceId) -> Answer<Option<Hold>> {
        let found = self.get("reading the hold of", &by_scope("hold", scope), instance.as_str()).await?;
        found.as_ref().map(read).transpose()
    }

    async fn holds(&self, scope: &Scope) -> Answer<Vec<Hold>> {
        let items = self.query("listing the holds of", &by_scope("hold", scope), "").await?;
        items.iter().map(read).collect()
    }

    async fn note(&self, entries: &[Entry]) -> Answer<()> {
        let keyed = |e: &Entry| (format!("case#{}", e.case), key_of(e, &e.subject));
        let writes = entries.iter().map(|entry| async move {
            let (pk, sk) = keyed(entry);
            let call = self.client.put_item().table_name(&self.name);
            let call = call.set_item(Some(item(&pk, &sk, &[entry])?)).condition_expression("attribute_not_exists(pk)");
            match call.send().await {
                Ok(_) => Ok(()),
                Err(error) => {
                    let error = port_error("adding to the journal of", &entry.case, &error);
                    if error.kind == Kind::Conflict { Ok(()) } else { Err(error) }
                }
            }
        });
        try_join_all(writes).await.map(drop)
    }

    async fn journal(&self, case: &CaseId) -> Answer<Vec<Entry>> {
        let items = self.query("reading the journal of", &format!("case#{case}"), "journal#").await?;
        let batches: Vec<Vec<Entry>> = items.iter().map(read).collect::<Answer<_>>()?;
        Ok(batches.into_iter().flatten().collect())
    }

    async fn running(&self, account: &AccountId) -> Answer<Option<u64>> {
        let items = self.query("counting the instances of", &by_account("seen", account), "running#").await?;
        let counts = items.iter().filter_map(|i| i.get("count")?.as_n().ok()?.parse::<u64>().ok());
        Ok((!items.is_empty()).then(|| counts.sum()))
    }

    async fn quarantine_group(&self, scope: &Scope, vpc: &VpcId) -> Answer<Option<GroupId>> {
        let found = self.get("reading the quarantine group of", &by_scope("vpc", scope), vpc.as_str()).await?;
        found.as_ref().map(read).transpose()
    }

    async fn keep_quarantine_group(
        &self,
        scope: &Scope,
        vpc: &VpcId,
        group: &GroupId,
        gone: Option<&GroupId>,
    ) -> Answer<GroupId> {
        let doing = "keeping the quarantine group of";
        let row = item(&by_scope("vpc", scope), vpc.as_str(), group)?;
        let call = self.client.put_item().table_name(&self.name).set_item(Some(row));
        // Only the one that the caller saw to be gone gives way; one that another worker kept meanwhile stays.
        let call = match gone {
            None => call.condition_expression("attribute_not_exists(pk)"),
            Some(old) => {
                call.condition_expression("body = :old").expression_attribute_values(":old", text(write(old)?))
            }
        };
        match call.send().await {
            Ok(_) => Ok(group.clone()),
            Err(error) => {
                let error = port_error(doing, vpc, &error);
                if error.kind != Kind::Conflict {
                    return Err(error);
                }
                self.quarantine_group(scope, vpc).await?.ok_or(error)
            }
        }
    }
}

impl Table {
    pub(super) fn put(
        &self,
        row: Item,
        condition: &str,
        values: &[(&str, super::AttributeValue)],
    ) -> Answer<TransactWriteItem> {
        let mut put = Put::builder().table_name(&self.name).set_item(Some(row)).condition_expression(condition);
        for (name, value) in values {
            put = put.expression_attribute_values(*name, value.clone());
        }
        let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld).build();
        Ok(TransactWriteItem::builder().put(put.map_err(|e| unbuilt(&e))?).build())
    }

    /// Takes from each counter of the hour's budget, if it is there to take.
    fn spend(&self, first: &Hold, count: usize, budget: &Budget) -> Answer<Vec<TransactWriteItem>> {
        let mut writes = vec![self.spend_one(first, &budget.hour, count, budget.limit)?];
        for more in &budget.also {
            writes.push(self.spend_one(first, &format!("{}#{}", budget.hour, more.name), more.count, more.limit)?);
        }
        Ok(writes)
    }

    fn spend_one(&self, first: &Hold, counter: &str, count: usize, limit: u32) -> Answer<TransactWriteItem> {
        let most = i64::from(limit) - i64::try_from(count).unwrap_or(i64::MAX);
        let update = Update::builder()
            .table_name(&self.name)
            .key("pk", text(by_account("blast", &first.scope.account)))
            .key("sk", text(counter))
            .update_expression("ADD held :count")
            .condition_expression("(attribute_not_exists(held) AND :most >= :zero) OR held <= :most")
            .expression_attribute_values(":count", number(count))
            .expression_attribute_values(":most", number(most))
            .expression_attribute_values(":zero", number(0))
            .build();
        Ok(TransactWriteItem::builder().update(update.map_err(|e| unbuilt(&e))?).build())
    }

    /// All entries of one moment in one item.
    pub(super) fn journal_write(&self, entries: &[Entry]) -> Answer<Option<TransactWriteItem>> {
        let Some(first) = entries.first() else { return Ok(None) };
        let row = item(&format!("case#{}", first.case), &key_of(first, &first.subject), &entries)?;
        let put = Put::builder().table_name(&self.name).set_item(Some(row)).build().map_err(|e| unbuilt(&e))?;
        Ok(Some(TransactWriteItem::builder().put(put).build()))
    }

    /// What stopped a transaction: holds that exist, the budget, or something that passes.
    async fn why_not(&self, new: &[Hold], counters: usize, reasons: &[CancellationReason]) -> Answer<Option<Begun>> {
        let taken = new.iter().zip(reasons).filter(|(_, reason)| failed_condition(Some(reason)));
        let reads = taken.map(|(hold, reason)| async move {
            // Some stores leave the old item out of the reason; then it is read.
            match reason.item().filter(|i| string_of(i, "body").is_some()) {
                Some(old) => read(old).map(Some),
                None => self.hold(&hold.scope, &hold.instance).await,
            }
        });
        let existing: Vec<Hold> = try_join_all(reads).await?.into_iter().flatten().collect();
        if !existing.is_empty() {
            return Ok(Some(Begun::Existing(existing)));
        }
        let over = reasons.iter().skip(new.len()).take(counters).any(|r| failed_condition(Some(r)));
        Ok(over.then_some(Begun::OverBudget))
    }
}

fn hold_item(hold: &Hold) -> Answer<Item> {
    item(&by_scope("hold", &hold.scope), hold.instance.as_str(), hold)
}

/// Sorts by time, tells subjects and events apart, and is the same for the same entry.
fn key_of(entry: &Entry, subject: &str) -> String {
    format!("journal#{:020}#{subject}#{:?}", entry.at.as_microsecond(), entry.event)
}

pub(super) fn unbuilt(error: &impl std::error::Error) -> PortError {
    PortError::new("building", "a write", Kind::Other, &error.to_string())
}

pub(super) fn failed_condition(reason: Option<&CancellationReason>) -> bool {
    reason.and_then(CancellationReason::code) == Some(CONDITION)
}

pub(super) fn reasons<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<&[CancellationReason]> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(canceled) => Some(canceled.cancellation_reasons()),
        _ => None,
    }
}
