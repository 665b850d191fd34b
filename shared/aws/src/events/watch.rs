//! API calls that watch judges: who made them, with which role, and what they are about.

use jiff::Timestamp;
use picket_model::{AccountId, Region, Scope, Untrusted};
use picket_pipeline::watch::Call;
use serde_json::Value;

/// Fields whose values are what Picket's own changes are about.
const THINGS: &[&str] = &["autoScalingGroupName", "instanceId", "networkInterfaceId", "resourceId"];
/// At most so many names are taken from one request.
const MOST: usize = 200;

/// Reads a call as EventBridge delivers it. `stack` names the deployment whose roles are ours. `None` for a call that was
/// refused, which changed nothing.
///
/// # Errors
/// Says which field is missing.
pub fn decode(body: &str, stack: &str) -> Result<Option<Call>, String> {
    let value: Value = serde_json::from_str(body).map_err(|e| format!("it is no JSON: {e}"))?;
    let detail = value.get("detail").ok_or("it has no `detail`")?;
    if detail.get("errorCode").is_some_and(|c| !c.is_null()) {
        return Ok(None);
    }
    let text = |path: &str| detail.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let account = value.get("account").and_then(Value::as_str).unwrap_or_default();
    let scope = Scope {
        account: AccountId::parse(account).map_err(|e| format!("`account`: {e}"))?,
        region: Region::parse(text("/awsRegion")).map_err(|e| format!("`detail.awsRegion`: {e}"))?,
    };
    let at: Timestamp = text("/eventTime").parse().map_err(|e| format!("`detail.eventTime`: {e}"))?;
    let issuer = text("/userIdentity/sessionContext/sessionIssuer/arn");
    let (mut things, mut names) = (Vec::new(), Vec::new());
    if let Some(request) = detail.get("requestParameters") {
        collect(request, "", &mut things, &mut names);
    }
    let by = Some(text("/userIdentity/arn")).filter(|a| !a.is_empty()).unwrap_or(text("/userIdentity/invokedBy"));
    Ok(Some(Call {
        scope,
        name: Untrusted::new(text("/eventName")),
        at,
        by: Untrusted::new(by),
        from: Untrusted::new(text("/sourceIPAddress")),
        ours: issuer.contains(&format!(":role/picket/{stack}/")),
        things,
        names,
    }))
}

fn collect(value: &Value, key: &str, things: &mut Vec<String>, names: &mut Vec<String>) {
    match value {
        Value::String(text) if names.len() < MOST => {
            if THINGS.contains(&key) {
                things.push(text.clone());
            }
            names.push(text.clone());
        }
        Value::Array(all) => all.iter().for_each(|v| collect(v, key, things, names)),
        Value::Object(all) => all.iter().for_each(|(k, v)| collect(v, k, things, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: &str = r#"{"account":"123456789012","detail":{"eventTime":"2026-11-02T03:04:05Z","awsRegion":"us-east-1",
        "eventName":"ModifyNetworkInterfaceAttribute","sourceIPAddress":"198.51.100.7",
        "userIdentity":{"arn":"arn:aws:sts::123456789012:assumed-role/r/x","sessionContext":{"sessionIssuer":
            {"arn":"arn:aws:iam::123456789012:role/picket/blue/RespondRole-1"}}},
        "requestParameters":{"networkInterfaceId":"eni-1","groupSet":{"items":[{"groupId":"sg-1"}]}}}}"#;

    #[test]
    fn it_is_told_whose_role_it_was_and_what_it_is_about() {
        let mut call = decode(CALL, "blue").unwrap().unwrap();
        call.names.sort();
        assert!(call.ours);
        assert_eq!((call.things, call.names), (vec!["eni-1".to_owned()], vec!["eni-1".to_owned(), "sg-1".to_owned()]));
        assert!(!decode(CALL, "green").unwrap().unwrap().ours);
    }

    #[test]
    fn what_was_refused_changed_nothing_and_what_is_broken_is_said() {
        let refused = CALL.replace("\"awsRegion\"", "\"errorCode\":\"AccessDenied\",\"awsRegion\"");
        assert_eq!(decode(&refused, "blue"), Ok(None));
        assert!(decode("{}", "blue").unwrap_err().contains("detail"));
    }
}
