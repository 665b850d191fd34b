//! Fixes, with their captures: written by condition, together with their part of the hour's budget and their journal.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use picket_model::fix::Fix;
use picket_model::{CaseId, Entry, Scope};
use picket_pipeline::fix::{Turns, moved};
use picket_pipeline::ports::{Answer, Budget, FixStore, Holds as _, Kept};

use super::holds::{failed_condition, reasons, unbuilt};
use super::{Item, Table, by_account, by_scope, item, number, read, text, write};
use crate::error::port_error;

/// The holder of a turn that was given back.
const NOBODY: &str = "-";

#[async_trait]
impl FixStore for Table {
    async fn fix(&self, scope: &Scope, id: &CaseId) -> Answer<Option<Fix>> {
        let found = self.get("reading fix", &by_scope("fix", scope), id.as_str()).await?;
        found.as_ref().map(read).transpose()
    }

    async fn fixes(&self, scope: &Scope) -> Answer<Vec<Fix>> {
        let items = self.query("listing the fixes of", &by_scope("fix", scope), "").await?;
        items.iter().map(read).collect()
    }

    async fn begin_fix(
        &self,
        known: Option<&Fix>,
        next: &Fix,
        entries: &[Entry],
        budget: Option<&Budget>,
    ) -> Answer<Kept> {
        let mut writes = vec![self.put_fix(known, next)?];
        if let Some(budget) = budget {
            writes.push(self.spend_fix(next, budget)?);
        }
        let before_turns = writes.len();
        writes.extend(self.move_turns(next, &moved(known, next))?);
        let turns = before_turns..writes.len();
        writes.extend(self.journal_write(entries)?);
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(Kept::Yes),
            Err(error) => match reasons(&error) {
                Some(reasons) if failed_condition(reasons.first()) => Ok(Kept::Changed),
                Some(reasons) if turns.clone().any(|n| failed_condition(reasons.get(n))) => Ok(Kept::NotItsTurn),
                Some(reasons) if budget.is_some() && failed_condition(reasons.get(1)) => Ok(Kept::OverBudget),
                _ => Err(port_error("writing fix", &next.id, &error)),
            },
        }
    }

    async fn update_fix(&self, expected: &Fix, next: &Fix, entries: &[Entry]) -> Answer<bool> {
        Ok(self.begin_fix(Some(expected), next, entries, None).await? == Kept::Yes)
    }

    async fn note_fix(&self, entries: &[Entry]) -> Answer<()> {
        self.note(entries).await
    }
}

impl Table {
    fn put_fix(&self, known: Option<&Fix>, next: &Fix) -> Answer<TransactWriteItem> {
        let row = fix_item(next)?;
        match known {
            None => self.put(row, "attribute_not_exists(pk)", &[]),
            Some(known) => self.put(row, "body = :expected", &[(":expected", text(write(known)?))]),
        }
    }

    /// Takes turns that nobody has, or gives back what is this fix's. Items stay: nobody may delete here.
    fn move_turns(&self, fix: &Fix, turns: &Turns) -> Answer<Vec<TransactWriteItem>> {
        let (turns, holder) = match turns {
            Turns::Stay => return Ok(Vec::new()),
            Turns::Take(turns) => (turns, fix.id.as_str()),
            Turns::GiveBack(turns) => (turns, NOBODY),
        };
        let one = |turn: &String| {
            let mut row = item(&by_scope("turn", &fix.scope), turn, &fix.id)?;
            row.insert("holder".to_owned(), text(holder));
            let free = "attribute_not_exists(pk) OR holder IN (:nobody, :this)";
            self.put(row, free, &[(":nobody", text(NOBODY)), (":this", text(fix.id.as_str()))])
        };
        turns.iter().map(one).collect()
    }

    /// Takes one from the hour's budget, if it is there to take.
    fn spend_fix(&self, fix: &Fix, budget: &Budget) -> Answer<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.name)
            .key("pk", text(by_account("blast", &fix.scope.account)))
            .key("sk", text(&budget.hour))
            .update_expression("ADD held :one")
            .condition_expression("(attribute_not_exists(held) AND :limit > :zero) OR held < :limit")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":limit", number(budget.limit))
            .expression_attribute_values(":zero", number(0))
            .build();
        Ok(TransactWriteItem::builder().update(update.map_err(|e| unbuilt(&e))?).build())
    }
}

fn fix_item(fix: &Fix) -> Answer<Item> {
    item(&by_scope("fix", &fix.scope), fix.id.as_str(), fix)
}
