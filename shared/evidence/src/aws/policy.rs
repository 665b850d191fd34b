//! IAM and resource policies, read as far as rules ask: what they allow, to whom, and whether anything limits it.

use serde_json::{Value, json};

/// Condition keys that tie an anonymous principal to somebody or somewhere.
const LIMITS: &[&str] = &[
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:vpcsourceip",
    "kms:calleraccount",
    "kms:viaservice",
    "sns:endpoint",
];

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Whether it allows; else it denies.
    pub allows: bool,
    /// Action patterns, lower case; for `NotAction`, those left out.
    pub actions: Vec<String>,
    /// Whether `actions` are those left out.
    pub not_actions: bool,
    /// Resource patterns.
    pub resources: Vec<String>,
    /// Principals; `*` for anybody.
    pub principals: Vec<String>,
    /// Condition: operator, key in lower case, values.
    pub conditions: Vec<(String, String, Vec<String>)>,
}

/// A policy's statements; none when there is no policy, or when it cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The statements.
    pub statements: Vec<Statement>,
    /// Whether the text was no policy.
    pub malformed: bool,
}

impl Policy {
    /// Parses policy JSON, as it is or percent-encoded as IAM hands it out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = if text.trim_start().starts_with('%') { percent_decode(text) } else { text.to_owned() };
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => {
                let statements = match &value["Statement"] {
                    Value::Array(list) => list.iter().map(statement).collect(),
                    Value::Null => Vec::new(),
                    one => vec![statement(one)],
                };
                Self { statements, malformed: false }
            }
            Err(_) => Self { statements: Vec::new(), malformed: true },
        }
    }

    /// The facts of a resource without a policy.
    #[must_use]
    pub fn none() -> Value {
        json!({"exists": false, "public_actions": [], "foreign_accounts": [], "denies_plain_http": false, "broad_actions": []})
    }

    /// The facts of a resource policy in `account`.
    #[must_use]
    pub fn facts(&self, account: &str) -> Value {
        if self.malformed {
            return json!({"exists": true});
        }
        json!({
            "exists": true,
            "public_actions": self.public_actions(),
            "foreign_accounts": self.foreign_accounts(account),
            "denies_plain_http": self.denies_plain_http(),
            "broad_actions": self.broad_actions(),
        })
    }

    /// What anybody may do, without a condition that ties it to somebody.
    #[must_use]
    pub fn public_actions(&self) -> Vec<&str> {
        let open = |s: &&Statement| s.allows && s.principals.iter().any(|p| p == "*") && !s.is_limited();
        let mut actions: Vec<&str> = self.statements.iter().filter(open).flat_map(Statement::shown_actions).collect();
        actions.sort_unstable();
        actions.dedup();
        actions
    }

    /// Whether anybody may do `action`.
    #[must_use]
    pub fn lets_anybody(&self, action: &str) -> bool {
        let open = |s: &&Statement| s.allows && s.principals.iter().any(|p| p == "*") && !s.is_limited();
        self.statements.iter().filter(open).any(|s| s.covers(action))
    }

    /// Accounts besides `account` that may do something.
    #[must_use]
    pub fn foreign_accounts(&self, account: &str) -> Vec<String> {
        let principals = self.statements.iter().filter(|s| s.allows).flat_map(|s| &s.principals);
        let mut found: Vec<String> = principals.filter_map(|p| account_of(p)).filter(|a| a != account).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Actions given by a wildcard over the whole service.
    fn broad_actions(&self) -> Vec<&str> {
        let actions = self.statements.iter().filter(|s| s.allows).flat_map(Statement::shown_actions);
        actions.filter(|a| *a == "*" || a.ends_with(":*")).collect()
    }

    /// Whether everybody is denied everything over plain HTTP.
    #[must_use]
    pub fn denies_plain_http(&self) -> bool {
        let insecure = |s: &Statement| {
            s.conditions.iter().any(|(op, key, values)| {
                op.to_ascii_lowercase().starts_with("bool")
                    && key == "aws:securetransport"
                    && values.iter().any(|v| v.eq_ignore_ascii_case("false"))
            })
        };
        let all = |s: &Statement| !s.not_actions && s.actions.iter().any(|a| a == "*" || a == "s3:*");
        let anybody = |s: &Statement| s.principals.iter().any(|p| p == "*");
        self.statements.iter().any(|s| !s.allows && anybody(s) && all(s) && s.conditions.len() == 1 && insecure(s))
    }

    /// Whether everything is allowed on everything.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        let all = |s: &Statement| s.actions.iter().any(|a| a == "*" || a == "*:*") && !s.not_actions;
        let none_left_out = |s: &Statement| s.not_actions && s.actions.is_empty();
        let everywhere = |s: &Statement| s.resources.iter().any(|r| r == "*");
        self.statements.iter().any(|s| s.allows && everywhere(s) && (all(s) || none_left_out(s)))
    }

    /// Those of `actions` that are allowed on all resources or on any, and not denied everywhere.
    #[must_use]
    pub fn allowed<'a>(&self, actions: &[&'a str]) -> Vec<&'a str> {
        let denied = |a: &str| {
            let flat = |s: &&Statement| !s.allows && s.conditions.is_empty() && s.resources.iter().any(|r| r == "*");
            self.statements.iter().filter(flat).any(|s| s.covers(a))
        };
        let allowed = |a: &&str| self.statements.iter().any(|s| s.allows && s.covers(a)) && !denied(a);
        actions.iter().copied().filter(allowed).collect()
    }
}

impl Policy {
    /// Resource patterns under which objects of buckets may be read or written.
    #[must_use]
    pub fn object_patterns(&self) -> Vec<&str> {
        let objects = |s: &&Statement| s.allows && (s.covers("s3:GetObject") || s.covers("s3:PutObject"));
        let mut all: Vec<&str> =
            self.statements.iter().filter(objects).flat_map(|s| &s.resources).map(String::as_str).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Statement {
    /// Whether the statement speaks of `action`.
    #[must_use]
    pub fn covers(&self, action: &str) -> bool {
        let action = action.to_ascii_lowercase();
        self.actions.iter().any(|pattern| matches(pattern, &action)) != self.not_actions
    }

    fn shown_actions(&self) -> impl Iterator<Item = &str> {
        // All but a few is nearly all.
        let all = self.not_actions.then_some("*").into_iter();
        all.chain(self.actions.iter().filter(|_| !self.not_actions).map(String::as_str))
    }

    /// Whether a condition ties it to an account, an organization or a network that is not the world.
    fn is_limited(&self) -> bool {
        self.conditions.iter().any(|(op, key, values)| {
            let op = op.to_ascii_lowercase();
            let positive = !op.contains("not") && !op.ends_with("ifexists") && !op.starts_with("null");
            let open = |v: &String| v == "*" || v.chars().all(|c| "*:arnws".contains(c));
            let wide = values.iter().any(open) || super::world::hold_the_world(values.iter().map(String::as_str));
            positive && LIMITS.contains(&key.as_str()) && !wide
        })
    }
}

fn statement(s: &Value) -> Statement {
    let not_actions = s.get("NotAction").is_some();
    let actions = list(if not_actions { &s["NotAction"] } else { &s["Action"] });
    let resources = if s.get("NotResource").is_some() { vec!["*".to_owned()] } else { list(&s["Resource"]) };
    Statement {
        allows: s["Effect"] == "Allow",
        actions: actions.iter().map(|a| a.to_ascii_lowercase()).collect(),
        not_actions,
        resources,
        principals: principals(s),
        conditions: conditions(&s["Condition"]),
    }
}

fn principals(s: &Value) -> Vec<String> {
    // "Allow everybody but one" is everybody.
    if s.get("NotPrincipal").is_some() {
        return vec!["*".to_owned()];
    }
    match &s["Principal"] {
        Value::Object(kinds) => {
            let shown = |(kind, value): (&String, &Value)| {
                list(value).into_iter().filter(|p| p != "*" || kind == "AWS").collect::<Vec<_>>()
            };
            kinds.iter().flat_map(shown).collect()
        }
        other => list(other),
    }
}

fn conditions(value: &Value) -> Vec<(String, String, Vec<String>)> {
    let operators = value.as_object().into_iter().flatten();
    operators
        .flat_map(|(op, keys)| {
            let keys = keys.as_object().into_iter().flatten();
            keys.map(|(key, v)| (op.clone(), key.to_ascii_lowercase(), list(v))).collect::<Vec<_>>()
        })
        .collect()
}

fn list(value: &Value) -> Vec<String> {
    let text = |v: &Value| match v {
        Value::String(s) => Some(s.clone()),
        Value::Bool(b) => Some(b.to_string()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    };
    match value {
        Value::Array(all) => all.iter().filter_map(text).collect(),
        one => text(one).into_iter().collect(),
    }
}

/// The account of a principal: an ARN or twelve digits.
fn account_of(principal: &str) -> Option<String> {
    let digits = |t: &str| t.len() == 12 && t.bytes().all(|b| b.is_ascii_digit());
    let part = principal.split(':').nth(4).unwrap_or(principal);
    digits(part).then(|| part.to_owned())
}

fn percent_decode(text: &str) -> String {
    let (mut out, mut bytes) = (Vec::new(), text.bytes());
    while let Some(b) = bytes.next() {
        let pair = (b == b'%').then(|| [bytes.next(), bytes.next()]);
        let hex = pair.and_then(|p| Some([p[0]?, p[1]?]));
        let byte = hex.and_then(|h| u8::from_str_radix(std::str::from_utf8(&h).ok()?, 16).ok());
        out.push(byte.unwrap_or(b));
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether `text` fits a pattern of IAM: `*` for any text, `?` for one character.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut i, mut j, mut star) = (0, 0, None);
    while j < t.len() {
        match p.get(i) {
            Some('*') => {
                star = Some((i, j));
                i += 1;
            }
            Some(c) if *c == '?' || *c == t[j] => (i, j) = (i + 1, j + 1),
            _ => match star {
                Some((at, from)) => {
                    (i, j) = (at + 1, from + 1);
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    p[i..].iter().all(|c| *c == '*')
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
