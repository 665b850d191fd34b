//! Shells: the most that new files grant under what files say of `umask`, and how long an idle shell is kept.

use serde_json::{Map, Value, json};

use crate::kubernetes::objects::{text, texts};

/// Files that shells read at login.
fn is_login_file(path: &str) -> bool {
    ["/etc/profile", "/etc/bashrc", "/etc/bash.bashrc"].contains(&path) || path.starts_with("/etc/profile.d/")
}

/// What the lines of login files come to, as `settings.shell`: the loosest that they say.
pub fn settings(all: &Value) -> Option<Value> {
    let configs = all.get("configs")?.as_object()?;
    let lines: Vec<&str> = configs.iter().filter(|(p, _)| is_login_file(p)).flat_map(|(_, l)| texts(l, "")).collect();
    let mut said = Map::new();
    let limits: Vec<u64> = lines.iter().filter_map(|l| number(l.split_once("TMOUT=")?.1)).collect();
    if let (Some(least), Some(most)) = (limits.iter().min(), limits.iter().max()) {
        said.insert("tmout_least".to_owned(), least.to_string().into());
        said.insert("tmout_most".to_owned(), most.to_string().into());
        said.insert("tmout_fixed".to_owned(), lines.iter().any(|l| fixes(l)).to_string().into());
    }
    if let Some(grants) = grants(lines.iter().filter_map(|l| l.strip_prefix("umask"))) {
        said.insert("umask_grants".to_owned(), grants.into());
    }
    Some(Value::Object(said))
}

/// `settings.login_defs` with what its `UMASK` grants.
pub fn login_defs(all: &Value) -> Option<Value> {
    let mut said = all.pointer("/settings/login_defs")?.clone();
    if let Some(grants) = grants(std::iter::once(text(&said, "/UMASK")).filter(|u| !u.is_empty())) {
        said["umask_grants"] = json!(grants);
    }
    Some(said)
}

fn number(text: &str) -> Option<u64> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Whether a line fixes the time, so that nobody changes it.
fn fixes(line: &str) -> bool {
    let (Some(command), true) = (line.split_whitespace().next(), line.contains("TMOUT")) else { return false };
    let option = line.split_whitespace().nth(1).unwrap_or_default();
    command == "readonly"
        || (matches!(command, "typeset" | "declare") && option.starts_with('-') && option.contains('r'))
}

/// The most that new files grant, as octal digits: what any of these masks leaves.
fn grants<'a>(masks: impl Iterator<Item = &'a str>) -> Option<String> {
    let all: Vec<u32> = masks.filter_map(granted).collect();
    let most = all.iter().copied().reduce(|a, b| a | b)?;
    Some(format!("{most:03o}"))
}

/// What one mask leaves: `027`, or `u=rwx,g=rx,o=`.
fn granted(mask: &str) -> Option<u32> {
    let words = mask.split_whitespace().filter(|w| *w != "-S");
    let mask: String = words.take(1).flat_map(str::chars).filter(|c| !matches!(c, ';' | '"' | '\'')).collect();
    if !mask.is_empty() && mask.chars().all(|c| ('0'..='7').contains(&c)) {
        return u32::from_str_radix(&mask, 8).ok().map(|m| !m & 0o777);
    }
    if !mask.contains('=') {
        return None;
    }
    let bits =
        |s: &str| [('r', 4), ('w', 2), ('x', 1)].iter().filter(|(c, _)| s.contains(*c)).map(|(_, n)| n).sum::<u32>();
    let part =
        |who: char| mask.split(',').filter_map(|p| Some(bits(p.strip_prefix(who)?.strip_prefix('=')?))).next_back();
    Some(part('u').unwrap_or(0) << 6 | part('g').unwrap_or(0) << 3 | part('o').unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(lines: Value) -> Value {
        settings(&json!({"configs": {"/etc/profile": lines, "/etc/motd": ["umask 000"]}})).unwrap()
    }

    #[test]
    fn shells_tell_the_loosest_that_files_say() {
        let said = shell(json!(["umask 002", "umask 022", "readonly TMOUT=900", "TMOUT"]));
        let expected = json!({"umask_grants": "775", "tmout_least": "900", "tmout_most": "900", "tmout_fixed": "true"});
        assert_eq!(said, expected);
        assert_eq!(shell(json!(["umask u=rwx,g=rx,o="])), json!({"umask_grants": "750"}));
        assert_eq!(shell(json!(["typeset -xr TMOUT=60", "TMOUT=600"]))["tmout_most"], "600");
        assert_eq!(shell(json!([])), json!({}));
        assert_eq!(settings(&json!({})), None);
    }

    #[test]
    fn login_defs_tell_what_new_homes_grant() {
        let said = login_defs(&json!({"settings": {"login_defs": {"UMASK": "027", "PASS_MAX_DAYS": "365"}}}));
        assert_eq!(said, Some(json!({"UMASK": "027", "PASS_MAX_DAYS": "365", "umask_grants": "750"})));
        assert_eq!(login_defs(&json!({"settings": {"login_defs": {}}})), Some(json!({})));
    }
}
