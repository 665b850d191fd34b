//! Budgets of the account.

use aws_sdk_budgets::Client;
use aws_sdk_budgets::types::Budget;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::tell::{Ask, Service, Tell as _};
use crate::collector::Reach;

/// Budgets: a sum that is watched.
pub static BUDGETS: Service = Service {
    reach: Reach::Account,
    kinds: &["budgets.budget"],
    permissions: &["budgets:ViewBudget"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let pages = client.describe_budgets().account_id(ask.place.account.as_str()).into_paginator().items().send();
    let listed = pages.collect::<Result<Vec<_>, _>>().await;
    ask.listed("budgets.budget", "budgets:ViewBudget", listed, describe)
}

fn describe(b: &Budget) -> (String, Value) {
    let value = json!({
        "budget_name": b.budget_name(),
        "budget_type": b.budget_type().as_str(),
        "time_unit": b.time_unit().as_str(),
        "limit": b.budget_limit().map(|l| l.amount()),
    });
    (b.budget_name().to_owned(), value)
}
