//! Access keys and the password policy of IAM.

use aws_sdk_iam::types::{PasswordPolicy, StatusType};
use picket_model::fix::Aim;
use picket_pipeline::ports::{Answer, Kind, Sight};
use serde_json::{Value, json};

use super::{AwsFixes, failed, flag, gone_is_done, missing, number, parts, seen, unknown, word};

impl AwsFixes<'_> {
    pub(super) async fn read_iam(&self, aim: &Aim) -> Answer<Sight> {
        match aim.action.as_str() {
            "iam_deactivate_key" => self.read_key(aim).await,
            "iam_set_password_policy" => self.read_password_policy(aim).await,
            _ => unknown(aim),
        }
    }

    pub(super) async fn write_iam(&self, aim: &Aim, to: &Value) -> Answer<()> {
        match aim.action.as_str() {
            "iam_deactivate_key" => {
                let (user, key) = parts(aim)?;
                let status = StatusType::from(word(to, "status").unwrap_or("Inactive"));
                let call = self.clients.iam().update_access_key().user_name(user).access_key_id(key).status(status);
                call.send().await.map(drop).map_err(|e| failed("changing access key", key, &e))
            }
            "iam_set_password_policy" => self.write_password_policy(aim, to).await,
            _ => unknown(aim),
        }
    }

    async fn read_key(&self, aim: &Aim) -> Answer<Sight> {
        let ((user, key), doing) = (parts(aim)?, "reading access key");
        let answer = self.clients.iam().list_access_keys().user_name(user).send().await;
        let answer = answer.map_err(|e| failed(doing, key, &e))?;
        let found = answer.access_key_metadata().iter().find(|k| k.access_key_id() == Some(key));
        let status = found.and_then(|k| k.status()).ok_or_else(|| missing(doing, key))?;
        seen(json!({"status": status.as_str()}))
    }

    async fn read_password_policy(&self, aim: &Aim) -> Answer<Sight> {
        let answer = self.clients.iam().get_account_password_policy().send().await;
        match answer.map_err(|e| failed("reading the password policy of", &aim.target, &e)) {
            Ok(answer) => seen(json!({"policy": answer.password_policy().map(written)})),
            // None was ever set.
            Err(error) if error.kind == Kind::NotFound => seen(json!({"policy": null})),
            Err(error) => Err(error),
        }
    }

    async fn write_password_policy(&self, aim: &Aim, to: &Value) -> Answer<()> {
        let doing = "setting the password policy of";
        let Some(policy) = to.get("policy").filter(|p| p.is_object()) else {
            let sent = self.clients.iam().delete_account_password_policy().send().await;
            return gone_is_done(sent.map(drop).map_err(|e| failed(doing, &aim.target, &e)));
        };
        let call = self.clients.iam().update_account_password_policy();
        let call = call.set_minimum_password_length(number(policy, "minimum_length"));
        let call = call.require_symbols(flag(policy, "symbols")).require_numbers(flag(policy, "numbers"));
        let call = call.require_uppercase_characters(flag(policy, "upper"));
        let call = call.require_lowercase_characters(flag(policy, "lower"));
        let call = call.allow_users_to_change_password(flag(policy, "may_change"));
        let call = call.set_max_password_age(number(policy, "max_age"));
        let call = call.set_password_reuse_prevention(number(policy, "reuse_prevention"));
        let call = call.set_hard_expiry(policy.get("hard_expiry").and_then(Value::as_bool));
        call.send().await.map(drop).map_err(|e| failed(doing, &aim.target, &e))
    }
}

/// What a policy is made of; whether passwords expire follows from their age.
fn written(policy: &PasswordPolicy) -> Value {
    let positive = |n: Option<i32>| n.filter(|n| *n > 0);
    json!({
        "minimum_length": policy.minimum_password_length(),
        "symbols": policy.require_symbols(),
        "numbers": policy.require_numbers(),
        "upper": policy.require_uppercase_characters(),
        "lower": policy.require_lowercase_characters(),
        "may_change": policy.allow_users_to_change_password(),
        "max_age": positive(policy.max_password_age()),
        "reuse_prevention": positive(policy.password_reuse_prevention()),
        "hard_expiry": policy.hard_expiry().filter(|h| *h),
    })
}
