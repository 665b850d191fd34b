//! What rules of audit see, one word each: `w PATH` for a watch for writing, `b64 CALL` for a call, `sudo_log` for the log
//! that sudo writes itself, `immutable` where they cannot be changed. A rule that is narrowed by anything but the users
//! that people log in as sees less than it should, and is left out.

use std::collections::BTreeSet;

use serde_json::Value;

/// How many rules a report holds at most: with so many, some may be missing.
const MOST: usize = 2000;
/// What narrows a rule to the users that people log in as, or to nothing.
const HARMLESS: [&str; 7] =
    ["a0=0", "a0=0x0", "auid>=500", "auid>=1000", "auid!=unset", "auid!=-1", "auid!=4294967295"];

/// What these rules see. `log` is the log that sudo writes, if it is told to.
pub fn covered(rules: &Value, log: &str) -> Option<Value> {
    let rules = rules.as_array().filter(|r| r.len() < MOST)?;
    let (mut seen, mut enabled) = (BTreeSet::new(), String::new());
    for line in rules.iter().filter_map(Value::as_str) {
        let line = line.replace(['"', '\t', '\r'], " ");
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["-e", value, ..] => enabled = (*value).to_owned(),
            ["-w", path, rest @ ..] => {
                let at = rest.iter().position(|w| *w == "-p").and_then(|n| rest.get(n + 1));
                watch(at.copied().unwrap_or("rwxa"), path, log, &mut seen);
            }
            ["-a" | "-A", "always,exit" | "exit,always", rest @ ..] => {
                if let Some(rule) = Rule::read(rest) {
                    rule.tell(log, &mut seen);
                }
            }
            _ => {}
        }
    }
    if enabled == "2" {
        seen.insert("immutable".to_owned());
    }
    Some(seen.into_iter().collect())
}

/// A rule of calls, or of a path.
#[derive(Default)]
struct Rule<'a> {
    arch: &'a str,
    path: &'a str,
    perms: Option<&'a str>,
    calls: Vec<&'a str>,
    more: String,
}

impl<'a> Rule<'a> {
    /// None if something narrows it.
    fn read(words: &[&'a str]) -> Option<Self> {
        let mut rule = Self::default();
        let mut words = words.iter().copied();
        while let Some(option) = words.next() {
            let value = words.next().unwrap_or_default();
            match option {
                "-S" => rule.calls.extend(value.split(',')),
                "-k" => {}
                "-C" if matches!(value, "euid!=uid" | "uid!=euid") => rule.more.push_str(" euid!=uid"),
                "-F" => rule.field(value)?,
                _ => return None,
            }
        }
        Some(rule)
    }

    fn field(&mut self, field: &'a str) -> Option<()> {
        let (name, value) = field.split_once('=')?;
        match name {
            "arch" => self.arch = value,
            "path" | "dir" => self.path = value,
            "perm" => self.perms = Some(value),
            "exit" if value.starts_with("-E") => self.more = format!("{} {}", self.more, &value[1..]),
            "key" => {}
            _ if HARMLESS.contains(&field) => {}
            _ => return None,
        }
        Some(())
    }

    fn tell(&self, log: &str, seen: &mut BTreeSet<String>) {
        if self.path.is_empty() {
            seen.extend(self.calls.iter().map(|call| format!("{} {call}{}", self.arch, self.more)));
        } else if self.more.is_empty() && (self.calls.is_empty() || self.calls[0] == "all") {
            watch(self.perms.unwrap_or("rwxa"), self.path, log, seen);
        }
    }
}

fn watch(perms: &str, path: &str, log: &str, seen: &mut BTreeSet<String>) {
    let place = place(path);
    if !log.is_empty() && place == log && perms.contains('w') {
        seen.insert("sudo_log".to_owned());
    }
    seen.extend(perms.chars().map(|p| format!("{p} {place}")));
}

/// A path as it is today: what was moved and linked is named by where it is.
fn place(path: &str) -> String {
    let path = path.trim_end_matches('/');
    if let Some(rest) = path.strip_prefix("/var/run/") {
        return format!("/run/{rest}");
    }
    if path.starts_with("/bin/") || path.starts_with("/sbin/") { format!("/usr{path}") } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(rules: &[&str], log: &str) -> Vec<String> {
        serde_json::from_value(covered(&json!(rules), log).unwrap()).unwrap()
    }

    #[test]
    fn rules_are_told_by_what_they_see_and_what_is_narrowed_is_not() {
        let seen = seen(
            &[
                "-D",
                "-w /etc/sudoers -p wa -k scope",
                "-w /etc/sudoers.d/ -p wa -k scope",
                "-w /var/run/utmp -p wa -k session",
                "-w /bin/su",
                "-a always,exit -F arch=b64 -S adjtimex,settimeofday -S clock_settime -k time-change",
                "-a always,exit -F arch=b64 -C euid!=uid -F auid!=unset -S execve -k user_emulation",
                "-a always,exit -F arch=b32 -S openat -F exit=-EACCES -F auid>=1000 -F auid!=unset -F key=access",
                "-a always,exit -F path=/usr/bin/chcon -F perm=x -F auid>=1000 -F auid!=unset -k perm_chng",
                "-a always,exit -F arch=b64 -S mount -F uid=5 -k narrowed",
                "-a never,exit -F arch=b64 -S umount2",
                "-e 2",
            ],
            "",
        );
        let expected = [
            "a /etc/sudoers",
            "a /etc/sudoers.d",
            "a /run/utmp",
            "a /usr/bin/su",
            "b32 openat EACCES",
            "b64 adjtimex",
            "b64 clock_settime",
            "b64 execve euid!=uid",
            "b64 settimeofday",
            "immutable",
            "r /usr/bin/su",
            "w /etc/sudoers",
            "w /etc/sudoers.d",
            "w /run/utmp",
            "w /usr/bin/su",
            "x /usr/bin/chcon",
            "x /usr/bin/su",
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_log_of_sudo_is_watched_where_it_is() {
        let rule = ["-w /var/log/own/sudo.log -p wa"];
        assert!(seen(&rule, "/var/log/own/sudo.log").contains(&"sudo_log".to_owned()));
        assert!(!seen(&rule, "/var/log/sudo.log").contains(&"sudo_log".to_owned()));
        assert!(!seen(&rule, "").contains(&"sudo_log".to_owned()));
        assert!(!seen(&["-w /var/log/own/sudo.log -p a"], "/var/log/own/sudo.log").contains(&"sudo_log".to_owned()));
    }

    #[test]
    fn a_list_that_may_be_cut_tells_nothing() {
        let many: Vec<_> = (0..2000).map(|n| format!("-w /f{n}")).collect();
        assert_eq!(covered(&json!(many), ""), None);
        assert_eq!(covered(&json!([]), ""), Some(json!([])));
    }
}
