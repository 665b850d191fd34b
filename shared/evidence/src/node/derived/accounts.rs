//! Accounts: the ages of passwords, who root is, and names and numbers that are there twice.

use std::collections::HashSet;
use std::hash::Hash;

use serde_json::{Map, Value, json};

use crate::kubernetes::objects::{list, text};

/// The ages of passwords, of those accounts that have one; none where nobody could see who has.
pub fn passwords(all: &Value, day: i64) -> Option<Value> {
    let accounts = list(all, "/accounts");
    if !accounts.iter().any(|a| a.get("password").is_some()) {
        return None;
    }
    let has_one = |a: &&Value| !matches!(text(a, "/password"), "" | "empty" | "locked");
    Some(accounts.iter().filter(has_one).map(|a| password(a, day)).collect())
}

fn password(account: &Value, day: i64) -> Value {
    let mut one = Map::from_iter([("name".to_owned(), text(account, "/name").into())]);
    if let Some(changed) = account.get("last_change").and_then(Value::as_i64) {
        one.insert("changed_ahead".to_owned(), (changed > day).into());
    }
    for age in ["min_days", "max_days", "warn_days", "inactive_days"] {
        if let Some(days) = account.get(age).filter(|d| d.is_i64()) {
            one.insert(age.to_owned(), days.clone());
        }
    }
    Value::Object(one)
}

/// Who root is, and what is there twice, as `settings.accounts`.
pub fn doubled(all: &Value) -> Option<Value> {
    let (accounts, groups) = (list(all, "/accounts"), list(all, "/groups"));
    if accounts.is_empty() || groups.is_empty() {
        return None;
    }
    let name = |a: &Value| text(a, "/name").to_owned();
    let number = |at: &'static str| move |a: &Value| a.get(at).and_then(Value::as_i64);
    let superusers: Vec<_> = accounts.iter().filter(|a| number("uid")(a) == Some(0)).map(name).collect();
    let mut said = json!({
        "superusers": superusers.join(","),
        "doubled_gids": twice(groups, number("gid")),
        "doubled_group_names": twice(groups, name),
        "doubled_uids": twice(accounts, number("uid")),
        "doubled_user_names": twice(accounts, name),
    });
    if let Some(root) = accounts.iter().rfind(|a| text(a, "/name") == "root") {
        said["root_gid"] = number("gid")(root).map_or(Value::Null, |g| g.to_string().into());
        let password = text(root, "/password");
        if !password.is_empty() {
            let is_set = !matches!(password, "empty" | "locked");
            said["root_password"] = if is_set { "set" } else { password }.into();
        }
    }
    Some(said)
}

/// The names of those that share something with one before them.
fn twice<K: Eq + Hash>(of: &[Value], key: impl Fn(&Value) -> K) -> String {
    let mut had = HashSet::new();
    let again = of.iter().filter(|one| !had.insert(key(one))).map(|one| text(one, "/name"));
    again.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_tell_their_ages_and_only_of_those_who_have_one() {
        let all = json!({"accounts": [
            {"name": "root", "password": "locked", "last_change": 19000},
            {"name": "ann", "password": "sha512", "last_change": 19000, "min_days": 1, "max_days": 365, "warn_days": 7, "inactive_days": 30},
            {"name": "bob", "password": "sha512", "last_change": 99999, "min_days": 0, "max_days": 99999, "warn_days": 7, "inactive_days": null},
            {"name": "eve", "password": "empty"},
            {"name": "daemon"},
        ]});
        let expected = json!([
            {"name": "ann", "changed_ahead": false, "min_days": 1, "max_days": 365, "warn_days": 7, "inactive_days": 30},
            {"name": "bob", "changed_ahead": true, "min_days": 0, "max_days": 99999, "warn_days": 7},
        ]);
        assert_eq!(passwords(&all, 20_000), Some(expected));
        assert_eq!(passwords(&json!({"accounts": [{"name": "ann"}]}), 20_000), None, "shadow was not read");
    }

    #[test]
    fn what_is_there_twice_is_named() {
        let account =
            |name: &str, uid: i64, gid: i64| json!({"name": name, "uid": uid, "gid": gid, "password": "locked"});
        let all = json!({
            "accounts": [account("root", 0, 0), account("toor", 0, 0), account("ann", 7, 7), account("ann", 8, 8)],
            "groups": [{"name": "root", "gid": 0}, {"name": "wheel", "gid": 0}, {"name": "ann", "gid": 7}, {"name": "ann", "gid": 8}],
        });
        let expected = json!({
            "superusers": "root,toor", "root_gid": "0", "root_password": "locked", "doubled_gids": "wheel",
            "doubled_group_names": "ann", "doubled_uids": "toor", "doubled_user_names": "ann",
        });
        assert_eq!(doubled(&all), Some(expected));
        assert_eq!(doubled(&json!({"accounts": []})), None);
    }
}
