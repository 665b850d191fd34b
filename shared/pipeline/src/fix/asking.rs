//! Asking people before a fix is made, and whether they said yes to what is planned now.

use jiff::SignedDuration;
use picket_checks::policy::{Ask, Do};
use picket_model::Event;
use picket_model::fix::{Approval, AtExpiry, Fix, FixState, FixStep};
use picket_model::text::sha256_hex;

use super::{Order, Outcome, Ports, telling};
use crate::fixes;
use crate::in_force::{InForce, Settings};
use crate::ports::{Answer, Kept};

/// How long a yes is good for: what was shown then must still be what is there.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Why people are asked first; `None` if they are not.
pub(super) fn why(order: &Order, fix: &Fix, what: Do, ask: Option<Ask>) -> Option<String> {
    if fix.steps.iter().any(|s| s.one_way) {
        return Some("it cannot be undone".to_owned());
    }
    let asked = fix.steps.iter().filter_map(|s| fixes::action(&s.aim.action)?.asks).next();
    if let Some(why) = asked {
        return Some(why.to_owned());
    }
    match (what, ask, order.ask) {
        (Do::Propose, _, _) => Some("the policy proposes it".to_owned()),
        (_, Some(Ask::Always), _) => Some("the policy wants it".to_owned()),
        (_, None, true) => Some("the rule wants it".to_owned()),
        _ => None,
    }
}

/// Whether people said yes to exactly this.
pub(super) fn is_approved(known: Option<&Fix>, fix: &Fix) -> bool {
    let Some(known) = known.filter(|k| k.state == FixState::Proposed) else { return false };
    let yes = known.approval.as_ref().and_then(|a| a.answer.as_ref()).filter(|a| a.approved);
    let fresh = yes.is_some_and(|a| fix.at.duration_since(a.at) < GOOD_FOR);
    let same = known.steps.len() == fix.steps.len() && known.steps.iter().zip(&fix.steps).all(|(k, f)| is_same(k, f));
    fresh && same
}

fn is_same(known: &FixStep, now: &FixStep) -> bool {
    let moves = fixes::action(&now.aim.action).is_some_and(|a| a.moves);
    known.aim == now.aim && known.before == now.before && (moves || known.after == now.after)
}

/// Whether people said yes and it is not made yet.
pub(super) fn is_answered_yes(fix: &Fix) -> bool {
    let yes = |a: &Approval| a.answer.as_ref().is_some_and(|a| a.approved);
    fix.state == FixState::Proposed && fix.approval.as_ref().is_some_and(yes)
}

/// Writes the question and tells it.
pub(super) async fn ask(
    ports: &Ports<'_>,
    settings: &Settings,
    in_force: &InForce,
    fix: Fix,
    known: Option<&Fix>,
    because: String,
) -> Answer<Outcome> {
    let asking = &in_force.policy.fixes.approval;
    let now = ports.clock.now();
    // Nobody's silence is a yes to what cannot be undone, or to stopping people.
    let careful = fix.steps.iter().any(|s| s.one_way || fixes::action(&s.aim.action).is_some_and(|a| a.asks.is_some()));
    let mut question = sha256_hex(format!("{}/{}", fix.id, now.as_microsecond()).as_bytes());
    question.truncate(16);
    let approval = Approval {
        asked_at: now,
        expires_at: now.saturating_add(asking.within).unwrap_or(now),
        at_expiry: if careful { AtExpiry::Leave } else { asking.at_expiry },
        because: because.clone(),
        question,
        answer: None,
    };
    let asked = Fix { state: FixState::Proposed, at: now, approval: Some(approval), ..fix };
    let entries: Vec<_> =
        (0..asked.steps.len()).map(|n| telling::entry(&asked, n, Event::ApprovalAsked, &because, now)).collect();
    match ports.store.begin_fix(known, &asked, &entries, None).await? {
        Kept::Yes => {}
        Kept::Changed | Kept::OverBudget | Kept::NotItsTurn => {
            return Ok(Outcome::Later { id: asked.id, why: "another worker was faster".to_owned() });
        }
    }
    telling::asked(ports, settings, &asked).await?;
    Ok(Outcome::Asked { fix: Box::new(asked) })
}
