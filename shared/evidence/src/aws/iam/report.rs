//! The credential report: made on request, then fetched; one row a user, and one for root.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_iam::Client;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws::json::days_between;
use crate::aws::tell::reason;

/// The name of root's row.
pub const ROOT: &str = "<root_account>";
/// How often we ask whether the report is made, a second apart; it takes seconds.
const TRIES: usize = 20;

/// Rows by user, or why there are none.
pub type Report = Result<BTreeMap<String, Value>, String>;

/// Has the report made, and reads it.
pub async fn read(client: &Client, now: Timestamp) -> Report {
    for _ in 0..TRIES {
        let made = client.generate_credential_report().send().await;
        let state = made.map_err(|e| reason("iam:GenerateCredentialReport", &e))?;
        if state.state() == Some(&aws_sdk_iam::types::ReportStateType::Complete) {
            let answer = client.get_credential_report().send().await;
            let answer = answer.map_err(|e| reason("iam:GetCredentialReport", &e))?;
            let bytes = answer.content().map(|c| c.clone().into_inner()).unwrap_or_default();
            return Ok(rows(&String::from_utf8_lossy(&bytes), now));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err("iam:GenerateCredentialReport was not done in time".to_owned())
}

/// The rows of the report. User names and ARNs hold neither commas nor quotes, so lines split at commas.
fn rows(csv: &str, now: Timestamp) -> BTreeMap<String, Value> {
    let mut lines = csv.lines();
    let columns: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let row = |line: &str| {
        let cells: BTreeMap<&str, &str> = columns.iter().copied().zip(line.split(',')).collect();
        Some(((*cells.get("user")?).to_owned(), describe(&cells, now)))
    };
    lines.filter_map(row).collect()
}

fn describe(cells: &BTreeMap<&str, &str>, now: Timestamp) -> Value {
    let is = |name: &str| cells.get(name).copied() == Some("true");
    let days = |name: &str| {
        let at = cells.get(name)?.parse::<Timestamp>().ok()?;
        Some(days_between(at, now))
    };
    let key = |n: u8| {
        let (active, rotated) = (format!("access_key_{n}_active"), format!("access_key_{n}_last_rotated"));
        let age = days(&rotated);
        let used = days(&format!("access_key_{n}_last_used_date"));
        // A key that was never used is idle since it was made.
        json!({"active": is(&active), "age_days": age, "last_used_days": used, "idle_days": used.or(age)})
    };
    let used = days("password_last_used");
    let idle = used.or(days("password_last_changed")).or(days("user_creation_time"));
    let keys: Vec<Value> = [1, 2].into_iter().filter(|n| is(&format!("access_key_{n}_active"))).map(key).collect();
    let keys_used = [1, 2].into_iter().filter_map(|n| days(&format!("access_key_{n}_last_used_date"))).min();
    json!({
        "password_enabled": is("password_enabled"),
        "password_last_used_days": used,
        "password_idle_days": idle,
        "mfa_active": is("mfa_active"),
        "access_keys": keys,
        "key_last_used_days": keys_used,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,mfa_active,\
access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date
<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,2026-01-30T00:00:00+00:00,not_supported,true,false,N/A,N/A,false,N/A,N/A
eve,arn:aws:iam::111122223333:user/eve,2025-01-01T00:00:00+00:00,true,no_information,2025-12-31T00:00:00+00:00,false,true,2025-10-31T00:00:00+00:00,N/A,false,N/A,N/A
";

    #[test]
    fn ages_are_counted_and_what_was_never_used_is_idle_since_it_was_made() {
        let rows = rows(CSV, "2026-01-31T00:00:00Z".parse().unwrap());
        assert_eq!(rows[ROOT]["password_last_used_days"], 1);
        let eve = &rows["eve"];
        assert_eq!((&eve["password_enabled"], &eve["password_idle_days"]), (&true.into(), &31.into()));
        assert_eq!(
            eve["access_keys"],
            json!([{"active": true, "age_days": 92, "last_used_days": null, "idle_days": 92}])
        );
    }
}
