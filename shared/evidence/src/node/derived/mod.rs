//! What follows from a node's report and need not be worked out on the node: who has passwords, what audit sees, how shells
//! and Docker are set. So that the script on the node stays small enough to be read, and this is tested by data.
//!
//! A part whose source was not read is not read itself, for the same reason.

mod accounts;
mod audit;
mod docker;
mod shell;

use serde_json::{Map, Value, json};

use crate::kubernetes::objects::{list, text, texts};

/// How many mounts a report holds at most: with so many, some may be missing.
const MOST_MOUNTS: usize = 200;
/// Places that are to be file systems of their own.
const PLACES: [&str; 7] = ["/tmp", "/var", "/var/tmp", "/var/log", "/var/log/audit", "/home", "/dev/shm"];

/// Adds to a node's facts what follows from them. `day` is today, in days since 1970.
pub fn add(facts: &mut Map<String, Value>, day: i64) {
    let all = Value::Object(facts.clone());
    keep(facts, "mounted", "mounts", mounted(&all));
    keep(facts, "passwords", "accounts", accounts::passwords(&all, day));
    let settings = [
        ("accounts", accounts::doubled(&all)),
        ("login_defs", shell::login_defs(&all)),
        ("shell", shell::settings(&all)),
    ];
    if let Some(Value::Object(programs)) = facts.get_mut("settings") {
        programs.extend(settings.into_iter().filter_map(|(name, v)| Some((name.to_owned(), v?))));
    }
    let log = text(&all, "/settings/sudo/logfile").to_owned();
    if let Some(Value::Object(audit)) = facts.get_mut("audit") {
        for (seen, rules) in [("on_disk", "disk"), ("in_kernel", "loaded")] {
            if let Some(covered) = audit.get(rules).and_then(|r| audit::covered(r, &log)) {
                audit.insert(seen.to_owned(), covered);
            }
        }
    }
    let more = docker::facts(&all);
    if let Some(Value::Object(docker)) = facts.get_mut("docker") {
        docker.remove("pid");
        docker.extend(more);
    }
}

/// Puts a part in; where there is none, why its source was not read is why it was not.
fn keep(facts: &mut Map<String, Value>, part: &str, source: &str, value: Option<Value>) {
    if let Some(value) = value {
        facts.insert(part.to_owned(), value);
        return;
    }
    let Some(Value::Object(unread)) = facts.get_mut("unread") else { return };
    if let Some(why) = unread.get(source).cloned() {
        unread.insert(part.to_owned(), why);
    }
}

/// Of places that are to be file systems of their own: those that are, with their options.
fn mounted(all: &Value) -> Option<Value> {
    all.get("mounts")?.as_array().filter(|m| m.len() < MOST_MOUNTS)?;
    let is_place = |m: &&Value| PLACES.contains(&text(m, "/path"));
    let mounts = list(all, "/mounts").iter().filter(is_place);
    let one = |m: &Value| (text(m, "/path").to_owned(), json!(texts(m, "/options").collect::<Vec<_>>()));
    Some(mounts.map(one).collect::<Map<_, _>>().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(facts: Value) -> Value {
        let mut map = facts.as_object().cloned().unwrap_or_default();
        add(&mut map, 20_000);
        Value::Object(map)
    }

    #[test]
    fn places_that_are_mounts_tell_their_options_and_too_many_tell_nothing() {
        let mount = |path: &str, options: Value| json!({"path": path, "type": "xfs", "options": options});
        let few = json!([mount("/", json!(["rw"])), mount("/tmp", json!(["rw", "nodev"])), mount("/data", json!([]))]);
        assert_eq!(added(json!({"mounts": few}))["mounted"], json!({"/tmp": ["rw", "nodev"]}));
        let many: Vec<_> = (0..200).map(|n| mount(&format!("/m{n}"), json!([]))).collect();
        assert!(added(json!({"mounts": many})).get("mounted").is_none());
    }

    #[test]
    fn what_follows_from_what_was_not_read_was_not_read() {
        let facts = added(json!({"unread": {"mounts": "no answer", "accounts": "no answer"}}));
        assert_eq!(
            (&facts["unread"]["mounted"], &facts["unread"]["passwords"]),
            (&json!("no answer"), &json!("no answer"))
        );
        assert!(facts.get("mounted").is_none() && facts.get("settings").is_none() && facts.get("docker").is_none());
    }
}
