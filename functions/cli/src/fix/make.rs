//! `picket fix plan`, `apply` and `undo`, and the answers `picket approve` and `picket deny`.

use picket_model::fix::{Aim, Cause, Fix};
use picket_model::{CaseId, Untrusted};
use picket_pipeline::fix::{Order, Outcome, Say, Undo, Work};
use picket_pipeline::ports::FixStore as _;

use super::Aimed;
use super::outcome::Said;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{Aws, Session};
use crate::show::Asked;

/// What shall be put back.
pub struct Back {
    pub id: CaseId,
    pub reason: Untrusted,
    pub force: bool,
    pub plan: bool,
    pub yes: bool,
}

/// Shows what a fix would change.
pub async fn plan(aimed: Aimed, session: &Session) -> Result<Exit, Failure> {
    let (aws, caller) = session.known().await?;
    let aims = aims(aimed, &aws, session, &aws.scope(&caller)).await?;
    let cause = Cause::Order { by: caller.arn.clone(), reason: Untrusted::new("a plan") };
    let order = Order { scope: aws.scope(&caller), aims, cause, ask: false, plan_only: true };
    finish(invoke(&aws, session, "planning", &Work::Order(order)).await?, session)
}

/// Plans, asks, makes.
pub async fn apply(aimed: Aimed, reason: Untrusted, yes: bool, session: &Session) -> Result<Exit, Failure> {
    let (aws, caller) = session.known().await?;
    let scope = aws.scope(&caller);
    let aims = aims(aimed, &aws, session, &scope).await?;
    let cause = Cause::Order { by: caller.arn, reason };
    let mut order = Order { scope, aims, cause, ask: false, plan_only: true };
    let planned = invoke(&aws, session, "planning", &Work::Order(order.clone())).await?;
    if !matches!(planned, Outcome::Planned { .. }) {
        return finish(planned, session);
    }
    show_plan(planned, session)?;
    confirm(yes, "make it?", session)?;
    order.plan_only = false;
    finish(invoke(&aws, session, "making the fix", &Work::Order(order)).await?, session)
}

/// Plans, asks, puts back.
pub async fn undo(back: Back, session: &Session) -> Result<Exit, Failure> {
    let (aws, caller) = session.known().await?;
    let scope = aws.scope(&caller);
    let (id, reason, force) = (back.id, back.reason, back.force);
    let mut order = Undo { scope, id, by: caller.arn, reason, force, plan_only: true };
    let planned = invoke(&aws, session, "planning the undo", &Work::Undo(order.clone())).await?;
    if back.plan || !matches!(planned, Outcome::Undone { .. }) {
        return finish(planned, session);
    }
    show_plan(planned, session)?;
    confirm(back.yes, "put it back?", session)?;
    order.plan_only = false;
    finish(invoke(&aws, session, "putting it back", &Work::Undo(order)).await?, session)
}

/// Answers a question. IAM's permission to invoke the function is the authorisation.
///
/// # Errors
/// If AWS cannot be reached or denies it.
pub async fn answer(id: CaseId, approve: bool, reason: Untrusted, session: &Session) -> Result<Exit, Failure> {
    let (aws, caller) = session.known().await?;
    let say = Say { scope: aws.scope(&caller), id, approve, by: caller.arn, reason, question: None };
    let doing = if approve { "approving" } else { "denying" };
    finish(invoke(&aws, session, doing, &Work::Say(say)).await?, session)
}

/// The aims that a person names: an action with its target, or those of a fix that is known.
async fn aims(aimed: Aimed, aws: &Aws, session: &Session, scope: &picket_model::Scope) -> Result<Vec<Aim>, Failure> {
    match aimed.of.as_slice() {
        [action, target] => {
            let with = aimed.with.into_iter().collect();
            Ok(vec![Aim { action: action.clone(), target: target.clone(), with }])
        }
        [id] => {
            let unclear = || {
                let hint = "name an action and its target, such as `eks_set_logging prod`, or the id of a fix";
                Failure::usage(format!("`{}` is no fix", Untrusted::new(id))).hint(hint)
            };
            let id: CaseId = id.parse().map_err(|_| unclear())?;
            let table = aws.table();
            let found: Option<Fix> = session.show.wait("reading the fix", table.fix(scope, &id)).await?;
            Ok(found.ok_or_else(unclear)?.steps.into_iter().map(|s| s.aim).collect())
        }
        _ => Err(Failure::usage("a fix is an action and a target, or an id")),
    }
}

async fn invoke(aws: &Aws, session: &Session, what: &'static str, work: &Work) -> Result<Outcome, Failure> {
    let functions = aws.functions();
    Ok(session.show.wait(what, functions.invoke("fix", work)).await?)
}

fn show_plan(planned: Outcome, session: &Session) -> Result<(), Failure> {
    if session.show.is_json() {
        return Ok(());
    }
    session.show.answer(&Said::new(planned, session).without_next())?;
    session.show.print("")
}

fn confirm(yes: bool, question: &str, session: &Session) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    match session.show.ask(question) {
        Asked::Yes => Ok(()),
        Asked::No => Err(Failure::refused("nothing was changed: it was not confirmed")),
        Asked::Nobody => {
            Err(Failure::usage("nothing was changed: nobody can be asked here").hint("`--yes` carries the plan out"))
        }
    }
}

fn finish(outcome: Outcome, session: &Session) -> Result<Exit, Failure> {
    let said = Said::new(outcome, session);
    session.show.answer(&said)?;
    Ok(said.exit())
}
