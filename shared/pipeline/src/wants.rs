//! What several fixes share: their parameters, tags, the endpoint of a cluster, rules of security groups, and who may be
//! stopped.

use picket_checks::reach;
use serde_json::{Value, json};

use crate::fixes::{Ends, Not, Seen, Stands};

/// What is there, with these fields set.
pub(crate) fn set(now: &Value, fields: &[(&str, Value)]) -> Result<Value, Not> {
    let Some(there) = now.as_object() else { return Err(Not::Wrong(format!("what was read is no object: {now}"))) };
    let mut next = there.clone();
    for (name, value) in fields {
        next.insert((*name).to_owned(), value.clone());
    }
    Ok(Value::Object(next))
}

/// Rules of a security group: what the fix takes away and what it adds counts, whatever else the group has by now.
pub(crate) fn rules(ends: &Ends<'_>) -> Stands {
    let (gone, came) = rules_between(ends.before, ends.after);
    let live = all_rules(ends.live);
    let there = |rules: &[Value]| rules.iter().filter(|r| live.contains(r)).count();
    let (old, new) = (there(&gone), there(&came));
    match (old, new) {
        (0, n) if n == came.len() => Stands::After,
        (o, 0) if o == gone.len() => Stands::Before,
        (0, 0) => Stands::Other,
        _ => Stands::Between,
    }
}

/// The rules that leave and those that come, each with its direction.
#[must_use]
pub fn rules_between(from: &Value, to: &Value) -> (Vec<Value>, Vec<Value>) {
    let (old, new) = (all_rules(from), all_rules(to));
    let gone = old.iter().filter(|o| !new.contains(o)).cloned().collect();
    (gone, new.into_iter().filter(|n| !old.contains(n)).collect())
}

fn all_rules(of: &Value) -> Vec<Value> {
    let side = |name: &str| {
        let rules = of.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let mark = json!(name);
        rules.into_iter().map(move |r| json!({"side": mark, "rule": r}))
    };
    side("ingress").chain(side("egress")).collect()
}

/// The rules of a group without the part that offends.
pub(crate) fn cut_rules(seen: &Seen<'_>) -> Result<Value, Not> {
    let side = if seen.now.get("ingress").is_some() { "ingress" } else { "egress" };
    if Seen::flag(seen.facts, "quarantine").unwrap_or(false) {
        return Err(Not::Guarded("it is a quarantine group, which has no rules to cut".to_owned()));
    }
    let wrong = |e: serde_json::Error| Not::Wrong(format!("its rules cannot be read: {e}"));
    let there: Vec<reach::Rule> =
        serde_json::from_value(seen.now.get(side).cloned().unwrap_or_default()).map_err(wrong)?;
    let lists = serde_json::from_value(seen.facts.get("prefix_lists").cloned().unwrap_or(json!({}))).map_err(wrong)?;
    let protocol = seen.with.get("protocol").and_then(Value::as_str);
    let offending = reach::Offending::of(seen.list("cidrs")?.as_deref(), seen.list("ports")?.as_deref(), protocol)
        .map_err(Not::Wrong)?;
    let kept = reach::cut(&there, &offending, &lists);
    if kept.len() > there.len() && kept.len() > reach::MOST_RULES {
        return Err(Not::Guarded(format!(
            "what is left would take {} rules, and AWS takes {} in a group",
            kept.len(),
            reach::MOST_RULES
        )));
    }
    set(seen.now, &[(side, json!(kept))])
}

/// Whether a user or role may be stopped.
pub(crate) fn stoppable(seen: &Seen<'_>) -> Result<(), Not> {
    let path = seen.facts.get("path").and_then(Value::as_str).unwrap_or("/");
    if path.starts_with("/aws-service-role/") || path.starts_with("/aws-reserved/") {
        return Err(Not::Guarded("AWS manages it; its service would stop".to_owned()));
    }
    if path.starts_with("/picket/") {
        return Err(Not::Guarded("it is one of Picket's own roles; delete the stack instead".to_owned()));
    }
    match seen.fact_strings("profiles").first() {
        Some(profile) => Err(Not::Guarded(format!(
            "instances use this role by profile {profile}, and all of them would be cut off; `picket quarantine` cuts the \
             sessions of one instance alone"
        ))),
        None => Ok(()),
    }
}

/// The endpoint of a cluster is read with its list of networks, which means nothing while it is closed: EKS may then
/// answer another one.
pub(crate) fn endpoint(ends: &Ends<'_>) -> Stands {
    let of = |v: &Value| {
        let public = v.get("public").cloned().unwrap_or_default();
        let cidrs = if public == Value::Bool(true) { v.get("cidrs").cloned().unwrap_or_default() } else { Value::Null };
        (public, v.get("private").cloned().unwrap_or_default(), cidrs)
    };
    let (before, after, live) = (of(ends.before), of(ends.after), of(ends.live));
    if live == after {
        Stands::After
    } else if live == before {
        Stands::Before
    } else {
        Stands::Other
    }
}

/// Whether nodes and people reach the API server without its public endpoint.
pub(crate) fn private_path(seen: &Seen<'_>) -> Result<(), Not> {
    if !Seen::flag(seen.now, "private")? {
        return Err(Not::Guarded(
            "the private endpoint is off, so nodes and people would lose the API server; switch it on first".to_owned(),
        ));
    }
    let missing = ["dns_support", "dns_hostnames"].into_iter().find(|n| Seen::flag(seen.facts, n) != Ok(true));
    match missing {
        None => Ok(()),
        Some(name) => Err(Not::Guarded(format!(
            "the VPC's {} is off or could not be read, so the private endpoint's name may not resolve there",
            name.replace('_', " ")
        ))),
    }
}

/// What is there, with the tags of the parameter `tags` that are missing.
pub(crate) fn tags(seen: &Seen<'_>) -> Result<Value, Not> {
    let wrong = || Not::Wrong("`tags` is a map of texts that is not empty".to_owned());
    let wanted = seen.with.get("tags").and_then(Value::as_object).filter(|w| !w.is_empty()).ok_or_else(wrong)?;
    let mut tags = seen.now.get("tags").and_then(Value::as_object).cloned().unwrap_or_default();
    for (key, value) in wanted {
        if key.starts_with("aws:") || !value.is_string() {
            return Err(wrong());
        }
        tags.entry(key.clone()).or_insert_with(|| value.clone());
    }
    set(seen.now, &[("tags", Value::Object(tags))])
}

impl<'a> Seen<'a> {
    /// A parameter that is a text.
    pub(crate) fn text(&self, name: &str) -> Result<&'a str, Not> {
        let wrong = || Not::Wrong(format!("the parameter `{name}` must be a text that is not empty"));
        self.with.get(name).and_then(Value::as_str).filter(|t| !t.is_empty()).ok_or_else(wrong)
    }

    /// A parameter that is a whole number between two others, or `otherwise`.
    pub(crate) fn number(&self, name: &str, otherwise: i64, from: i64, to: i64) -> Result<i64, Not> {
        let Some(given) = self.with.get(name) else { return Ok(otherwise) };
        let wrong = || Not::Wrong(format!("the parameter `{name}` must be a whole number from {from} to {to}"));
        // People type numbers as text at a terminal.
        let number = given.as_i64().or_else(|| given.as_str().and_then(|t| t.parse().ok()));
        number.filter(|n| (from..=to).contains(n)).ok_or_else(wrong)
    }

    /// A parameter that is a list of texts, or one text with commas.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<String>>, Not> {
        let wrong = || Not::Wrong(format!("the parameter `{name}` must be a list of texts"));
        match self.with.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.split(',').map(|t| t.trim().to_owned()).collect())),
            Some(Value::Array(items)) => {
                let texts: Option<Vec<String>> = items.iter().map(text_of).collect();
                texts.map(Some).ok_or_else(wrong)
            }
            Some(_) => Err(wrong()),
        }
    }

    /// A field of what is there that is a list of texts.
    pub(crate) fn strings(&self, name: &str) -> Result<Vec<String>, Not> {
        let wrong = || Not::Wrong(format!("`{name}` was not read"));
        let items = self.now.get(name).and_then(Value::as_array).ok_or_else(wrong)?;
        items.iter().map(text_of).collect::<Option<_>>().ok_or_else(wrong)
    }

    /// A field of the facts that is a list of texts; empty where it was not read.
    pub(crate) fn fact_strings(&self, name: &str) -> Vec<String> {
        let items = self.facts.get(name).and_then(Value::as_array);
        items.map_or_else(Vec::new, |items| items.iter().filter_map(text_of).collect())
    }

    /// A field of what is there, or of the facts, that is a switch.
    pub(crate) fn flag(of: &Value, name: &str) -> Result<bool, Not> {
        let wrong = || Not::Wrong(format!("`{name}` was not read"));
        of.get(name).and_then(Value::as_bool).ok_or_else(wrong)
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
