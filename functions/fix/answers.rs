//! Answers that come to the function's address. IAM has proved who asks before the function runs, and says so in the
//! request; without that, or without a link that we signed, nothing is done.

use lambda_runtime::Error;
use picket_aws::SystemClock;
use picket_model::{Scope, Untrusted};
use picket_pipeline::fix::{Say, Work};
use picket_pipeline::ports::Clock as _;
use serde_json::{Value, json};

use super::Bench;

/// Serves one request.
pub async fn serve(bench: &Bench, scope: &Scope, request: &Value) -> Result<Value, Error> {
    let text = |path: &str| request.pointer(path).and_then(Value::as_str);
    let Some(caller) = text("/requestContext/authorizer/iam/userArn") else {
        return Ok(reply(403, "IAM did not say who asks; nothing was done"));
    };
    if text("/requestContext/http/method") != Some("POST") {
        return Ok(reply(405, "an answer is a POST; nothing was done"));
    }
    let Some(links) = &bench.links else { return Ok(reply(404, "this deployment has no links")) };
    let query = |name: &str| text(&format!("/queryStringParameters/{name}")).map(str::to_owned);
    let linked = match links.read(query, SystemClock.now()) {
        Ok(linked) => linked,
        Err(error) => return Ok(reply(403, &error.to_string())),
    };
    let approve = match query("answer").as_deref() {
        Some("approve") => true,
        Some("deny") => false,
        _ => return Ok(reply(400, "say `answer=approve` or `answer=deny`")),
    };
    let say = Say {
        scope: scope.clone(),
        id: linked.id,
        approve,
        by: Untrusted::new(caller),
        reason: Untrusted::new(&query("reason").unwrap_or_default()),
        question: Some(linked.question),
    };
    let outcome = super::now(bench, scope, &Work::Say(say)).await?;
    Ok(json!({
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": serde_json::to_string(&outcome)?,
    }))
}

fn reply(status: u16, says: &str) -> Value {
    json!({"statusCode": status, "headers": {"content-type": "text/plain; charset=utf-8"}, "body": format!("{says}\n")})
}
