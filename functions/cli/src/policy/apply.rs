//! `picket policy apply` and `show`: the policy in the deployment's table.

use std::path::Path;

use picket_checks::Policy;
use picket_model::Untrusted;
use picket_pipeline::ports::{Policies as _, StoredPolicy};
use serde::Serialize;

use super::explain;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Tone};

/// A policy that was put in force.
#[derive(Debug, Serialize)]
struct Applied {
    file: String,
    stack: String,
    by: Untrusted,
    policy: Policy,
    next: String,
}

/// Checks a file and puts it in force.
///
/// # Errors
/// If it is not a policy, or AWS cannot be reached or denies it.
pub(super) async fn apply(file: &Path, session: &Session) -> Result<Exit, Failure> {
    let (text, policy) = (super::text_of(file)?, super::of_file(file)?);
    let (aws, caller) = session.known().await?;
    let table = aws.table();
    session.show.wait("applying the policy", table.put_policy(&text, &caller.arn)).await?;
    let file = file.display().to_string();
    let next = session.command("policy show");
    session.show.answer(&Applied { file, stack: session.stack.clone(), by: caller.arn, policy, next })?;
    Ok(Exit::Done)
}

impl Reply for Applied {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        page.line(
            Tone::Good,
            format!("{} is in force in stack {} from the next event on. It means:", self.file, self.stack),
        );
        explain::write(page.gap(), &self.policy, jiff::Timestamp::now());
        page.next(Some(&self.next)).done()
    }
}

/// What the table holds.
#[derive(Debug, Serialize)]
struct Stored {
    /// As it was written; none if none was applied.
    text: Option<String>,
    /// What is in force.
    policy: Policy,
    /// Why that is not the text.
    trouble: Option<String>,
    paused: Option<Untrusted>,
}

/// Shows the policy. The text alone goes to standard output, remarks go to standard error.
///
/// # Errors
/// If AWS cannot be reached or denies it.
pub(super) async fn show(session: &Session) -> Result<Exit, Failure> {
    let aws = session.aws().await?;
    let table = aws.table();
    let stored = stored(session.show.wait("reading the policy", table.policy()).await?);
    if let Some(why) = &stored.paused {
        session.show.remark(&format!("all changes are paused: {why}; `{}` lets them go on", session.command("resume")));
    }
    if let Some(trouble) = &stored.trouble {
        session.show.remark(&format!("this policy is broken and not in force: {trouble}"));
        session.show.remark("the last good one is used instead; without one, nothing is changed");
    }
    session.show.answer(&stored)?;
    Ok(if stored.trouble.is_some() { Exit::Found } else { Exit::Done })
}

/// As the stages read it, without writing anything.
fn stored(found: StoredPolicy) -> Stored {
    let paused = found.paused.as_deref().map(Untrusted::new);
    let Some(text) = found.current else {
        return Stored { text: None, policy: Policy::default(), trouble: None, paused };
    };
    match Policy::parse(&text, "policy") {
        Ok(policy) => Stored { text: Some(text), policy, trouble: None, paused },
        Err(trouble) => {
            let good = found.good.and_then(|g| Policy::parse(&g, "policy").ok()).unwrap_or_default();
            Stored { text: Some(text), policy: good, trouble: Some(trouble.to_string()), paused }
        }
    }
}

impl Reply for Stored {
    fn text(&self, paint: Paint) -> String {
        if let Some(text) = &self.text {
            return text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        }
        let mut page = Page::new(paint);
        page.line(Tone::Plain, "no policy was applied; the built-in one is in force. It means:").gap();
        explain::write(&mut page, &self.policy, jiff::Timestamp::now());
        page.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(current: Option<&str>, good: Option<&str>) -> Stored {
        stored(StoredPolicy { current: current.map(Into::into), good: good.map(Into::into), paused: None })
    }

    #[test]
    fn a_policy_is_shown_as_it_was_written_without_what_steers_a_terminal() {
        let shown = of(Some("version: 1 # \u{1b}[2Jours\n"), None).text(Paint::default());
        assert_eq!(shown, "version: 1 # [2Jours\n");
    }

    #[test]
    fn a_broken_policy_is_told_and_the_last_good_one_counts() {
        let stored = of(Some("moode: x"), Some("mode: enforce"));
        assert!(stored.trouble.is_some_and(|t| t.contains("moode")));
        assert_eq!(stored.policy.mode, picket_model::Mode::Enforce);
        assert_eq!(of(Some("moode: x"), None).policy, Policy::default());
    }

    #[test]
    fn no_policy_is_the_built_in_one() {
        assert!(of(None, None).text(Paint::default()).contains("mode      observe"));
    }
}
