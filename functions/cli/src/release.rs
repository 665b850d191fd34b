//! `picket release`: lift a quarantine, on purpose. The plan is shown first; then `<stack>-release` carries it out
//! under its own role. What may be put back is decided there, against live state.

use picket_model::{CaseId, GroupId, InstanceId, Untrusted};
use picket_pipeline::reasons::StillHeld;
use picket_pipeline::release::{Because, Order, Released, Restored};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{self, Aws, Session};
use crate::show::{Asked, Page, Paint, Reply, Text, Tone};
use crate::target::Target;

/// What `picket release` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket release case-0123456789ab --reason \"load test of team blue\" --plan
  picket release case-0123456789ab --reason \"load test of team blue\"
  picket release i-0abc1234def567890 i-0abc1234def567891 --reason \"checked by hand\" --yes

It shows the plan and asks; where nobody can be asked, it needs `--yes`.")]
pub struct Args {
    /// One case, or instances
    #[arg(required = true, value_name = "CASE|INSTANCE")]
    pub of: Vec<Target>,
    /// Why; it goes into the journal and to everybody who is told
    #[arg(long, value_name = "TEXT", value_parser = session::reason)]
    pub reason: Untrusted,
    /// Restore also what was changed since it was contained
    #[arg(long, alias = "anyway")]
    pub force: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub plan: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// What came of it, with the next command.
#[derive(Debug, Serialize)]
struct Lifted {
    #[serde(flatten)]
    outcome: Released,
    next: Option<String>,
}

/// Plans, asks, carries out.
///
/// # Errors
/// If AWS cannot be reached or denies it, or nobody confirmed it.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (case, instances) = subject(&args.of)?;
    let (aws, caller) = session.known().await?;
    let scope = aws.scope(&caller);
    let mut order = Order {
        scope,
        case,
        instances,
        by: caller.arn,
        reason: args.reason,
        force: args.force,
        because: Because::Asked,
        plan_only: true,
    };
    let planned = invoke(&aws, session, "planning the release", &order).await?;
    let goes_on = !args.plan && matches!(&planned, Released::Done { restored, .. } if !restored.is_empty());
    if !goes_on {
        return finish(planned, &order, session);
    }
    if !session.show.is_json() {
        session.show.answer(&Lifted { outcome: planned, next: None })?;
        session.show.print("")?;
    }
    confirm(args.yes, session)?;
    order.plan_only = false;
    let outcome = invoke(&aws, session, "releasing", &order).await?;
    finish(outcome, &order, session)
}

/// One case, or instances; never both.
pub(crate) fn subject(of: &[Target]) -> Result<(Option<CaseId>, Vec<InstanceId>), Failure> {
    if let [Target::Case(case)] = of {
        return Ok((Some(case.clone()), Vec::new()));
    }
    let instance = |t: &Target| match t {
        Target::Instance(id) => Some(id.clone()),
        Target::Case(_) => None,
    };
    let instances: Option<Vec<_>> = of.iter().map(instance).collect();
    let mixed = || Failure::usage("it takes one case, or instances, not both").hint("one case at a time");
    instances.map(|i| (None, i)).ok_or_else(mixed)
}

async fn invoke(aws: &Aws, session: &Session, what: &'static str, order: &Order) -> Result<Released, Failure> {
    let functions = aws.functions();
    Ok(session.show.wait(what, functions.invoke("release", order)).await?)
}

fn confirm(yes: bool, session: &Session) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    match session.show.ask("release them?") {
        Asked::Yes => Ok(()),
        Asked::No => Err(Failure::refused("nothing was changed: it was not confirmed")),
        Asked::Nobody => {
            Err(Failure::usage("nothing was changed: nobody can be asked here").hint("`--yes` carries the plan out"))
        }
    }
}

fn finish(outcome: Released, order: &Order, session: &Session) -> Result<Exit, Failure> {
    let exit = exit(&outcome);
    let lifted = Lifted { next: next(&outcome, order, session), outcome };
    session.show.answer(&lifted)?;
    Ok(exit)
}

fn exit(outcome: &Released) -> Exit {
    match outcome {
        Released::Done { .. } | Released::Already => Exit::Done,
        Released::Refused { .. } | Released::NotHeld | Released::Busy { .. } => Exit::Found,
    }
}

fn next(outcome: &Released, order: &Order, session: &Session) -> Option<String> {
    let subject = match &order.case {
        Some(case) => case.to_string(),
        None => order.instances.iter().map(InstanceId::as_str).collect::<Vec<_>>().join(" "),
    };
    let again = |more: &str| session.command(format!("release {subject} --reason \"...\"{more}"));
    match outcome {
        Released::Done { planned: true, .. } | Released::Busy { .. } => Some(again("")),
        Released::Done { .. } => {
            let of = order.case.as_ref().map(ToString::to_string);
            let of = of.or_else(|| order.instances.first().map(ToString::to_string))?;
            Some(session.command(format!("journal {of}")))
        }
        Released::Refused { .. } => Some(again(" --force")),
        Released::NotHeld | Released::Already => Some(session.command("holds --all")),
    }
}

impl Reply for Lifted {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        match &self.outcome {
            Released::Done { restored, still_held, .. } if restored.is_empty() && !still_held.is_empty() => {
                held_by_others(&mut page, still_held);
            }
            Released::Done { restored, undone, stays, lost, still_held, planned: true } => {
                held_by_others(&mut page, still_held);
                plan(&mut page, restored);
                besides(&mut page, &[("also put back", undone), ("stays", stays), ("does not come back", lost)]);
            }
            Released::Done { restored, undone, stays, still_held, planned: false, .. } => {
                held_by_others(&mut page, still_held);
                done(&mut page, restored);
                // The plan has listed them; what is new is that it is done.
                if undone.len() + stays.len() > 0 {
                    page.line(Tone::Good, format!("also put back: {}; kept: {}", undone.len(), stays.len())).gap();
                }
            }
            Released::Already => {
                page.line(Tone::Good, "nothing to do: it was released already");
            }
            Released::Refused { differences } => refused(&mut page, differences),
            Released::NotHeld => {
                page.line(Tone::Warn, "there is no such hold in this account and Region");
            }
            Released::Busy { instance } => {
                page.line(Tone::Warn, format!("another worker is at {instance}; try again in a minute"));
            }
        }
        page.next(self.next.as_deref()).done()
    }
}

fn plan(page: &mut Page, restored: &[Restored]) {
    if restored.is_empty() {
        page.line(Tone::Warn, "nothing can be put back: the interfaces are gone");
        return;
    }
    page.line(Tone::Strong, "the release would put back").gap();
    let row = |r: &Restored| -> Vec<Text> {
        let to = if r.from == r.to { Text::toned(Tone::Dim, "(is there already)") } else { list(&r.to).into() };
        vec![r.instance.as_str().into(), r.interface.as_str().into(), list(&r.from).into(), to]
    };
    page.table(&["INSTANCE", "INTERFACE", "FROM", "TO"], &[], restored.iter().map(row).collect()).gap();
}

fn done(page: &mut Page, restored: &[Restored]) {
    page.line(Tone::Good, format!("released; interfaces put back: {}", restored.len()));
    for r in restored {
        page.line(Tone::Plain, format!("{} of {} is in {} again", r.interface, r.instance, list(&r.to)));
    }
}

fn held_by_others(page: &mut Page, still_held: &[StillHeld]) {
    for held in still_held {
        let cases: Vec<_> = held.by.iter().map(CaseId::as_str).collect();
        page.line(Tone::Warn, format!("{} stays in quarantine: {} holds it too", held.instance, cases.join(", ")));
    }
    page.gap();
}

/// What is put back beside the groups, and what stays; nothing is said where there is nothing.
fn besides(page: &mut Page, parts: &[(&str, &Vec<String>)]) {
    for (label, changes) in parts {
        for change in *changes {
            page.line(Tone::Plain, format!("{label}: {change}"));
        }
    }
    page.gap();
}

fn refused(page: &mut Page, differences: &[String]) {
    page.line(Tone::Bad, "not released: what is there is not what containment left");
    for difference in differences {
        page.line(Tone::Plain, format!("- {difference}"));
    }
    page.line(Tone::Plain, "look at it first; `--force` restores what can be restored all the same");
}

fn list(groups: &[GroupId]) -> String {
    groups.iter().map(GroupId::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "release_tests.rs"]
mod tests;
