//! Where the audit chain ended when it was last added to, and all of the journal, for whoever compares both.

use aws_sdk_dynamodb::types::AttributeValue;
use picket_model::Scope;
use picket_pipeline::ports::{Answer, Kind};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Table, by_scope, item, number, read, string_of, text};
use crate::error::port_error;

/// The sort key of the row that remembers the end.
const HEAD: &str = "head";

/// A row of the journal as the table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// Its partition key.
    pub pk: String,
    /// Its sort key.
    pub sk: String,
    /// Its body, as it is.
    pub body: String,
}

impl Table {
    /// Where the chain ended when it was last added to. A hint for who adds, and a witness for who verifies.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn audit_head<T: DeserializeOwned>(&self, scope: &Scope) -> Answer<Option<T>> {
        let found = self.get("reading the end of the audit chain of", &by_scope("audit", scope), HEAD).await?;
        found.as_ref().map(read).transpose()
    }

    /// Remembers where the chain ends, unless a later end is known.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn keep_audit_head(&self, scope: &Scope, sequence: u64, head: &(impl Serialize + Sync)) -> Answer<()> {
        let pk = by_scope("audit", scope);
        let mut row = item(&pk, HEAD, head)?;
        row.insert("sequence".to_owned(), number(sequence));
        let call = self.client.put_item().table_name(&self.name).set_item(Some(row));
        let call = call
            .condition_expression("attribute_not_exists(pk) OR #sequence < :sequence")
            .expression_attribute_names("#sequence", "sequence")
            .expression_attribute_values(":sequence", number(sequence));
        match call.send().await.map_err(|e| port_error("remembering the end of the audit chain of", &pk, &e)) {
            Err(error) if error.kind != Kind::Conflict => Err(error),
            _ => Ok(()),
        }
    }

    /// Every row of the journal, of all cases. It reads the whole table, which no function may and no function needs.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn whole_journal(&self) -> Answer<Vec<JournalRow>> {
        let call = self.client.scan().table_name(&self.name).consistent_read(true);
        let call = call
            .filter_expression("begins_with(pk, :case) AND begins_with(sk, :journal)")
            .expression_attribute_values(":case", text("case#"))
            .expression_attribute_values(":journal", text("journal#"));
        let mut pages = call.into_paginator().send();
        let mut rows = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| port_error("reading the journal of", &self.name, &e))?;
            rows.extend(page.items().iter().map(row));
        }
        Ok(rows)
    }
}

fn row(item: &std::collections::HashMap<String, AttributeValue>) -> JournalRow {
    let of = |name: &str| string_of(item, name).unwrap_or_default();
    JournalRow { pk: of("pk"), sk: of("sk"), body: of("body") }
}
