//! ask: show a plan to whoever opens the link of an alert. It may read fixes and nothing else, so that a mail scanner that
//! follows links changes nothing. The page says how to answer; who answers proves himself to IAM.

mod page;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use picket_aws::SystemClock;
use picket_aws::links::SignedLinks;
use picket_model::Scope;
use picket_pipeline::ports::{Clock as _, FixStore as _};
use serde_json::{Value, json};

use crate::entry::Entry;

/// Serves until Lambda ends the process.
pub async fn run() -> Result<(), Error> {
    let entry = Entry::begin().await?;
    let links = SignedLinks::load(&entry.clients, &entry.environment).await?;
    let (entry, links) = (&entry, &links);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let scope = entry.environment.scope(&event.context.invoked_function_arn)?;
        serve(entry, links.as_ref(), &scope, &event.payload).await
    }))
    .await
}

async fn serve(entry: &Entry, links: Option<&SignedLinks>, scope: &Scope, request: &Value) -> Result<Value, Error> {
    let text = |path: &str| request.pointer(path).and_then(Value::as_str);
    if !matches!(text("/requestContext/http/method"), Some("GET" | "HEAD")) {
        return Ok(reply(405, &page::words("This page only shows a plan. Nothing was done.")));
    }
    let Some(links) = links else { return Ok(reply(404, &page::words("This deployment has no links."))) };
    let query = |name: &str| text(&format!("/queryStringParameters/{name}")).map(str::to_owned);
    let linked = match links.read(query, SystemClock.now()) {
        Ok(linked) => linked,
        Err(error) => return Ok(reply(403, &page::words(&error.to_string()))),
    };
    let Some(fix) = entry.table.fix(scope, &linked.id).await? else {
        return Ok(reply(404, &page::words("There is no such fix.")));
    };
    let address = entry.environment.get("PICKET_ANSWERS_URL").unwrap_or_default();
    let query = text("/rawQueryString").unwrap_or_default();
    Ok(reply(200, &page::plan(&fix, &linked.question, &entry.settings.stack, address, query)))
}

/// No script, no style from elsewhere, no frame around it, and nothing keeps it.
fn reply(status: u16, body: &str) -> Value {
    json!({
        "statusCode": status,
        "headers": {
            "content-type": "text/html; charset=utf-8",
            "cache-control": "no-store",
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        },
        "body": body,
    })
}
