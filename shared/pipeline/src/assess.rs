//! Assess: from observations to decisions. It reads no resource, and the policy only where discover could not; `picket_checks::decide` judges.

use jiff::Timestamp;
use picket_model::{Decision, Notice, NoticeKind, Verdict};

use crate::in_force::{self, InForce, Settings};
use crate::messages::{Message, Observed};
use crate::ports::{Answer, Policies, Queues};

/// What assess needs.
pub struct Ports<'a> {
    /// Keeps the policy.
    pub policies: &'a dyn Policies,
    /// Hands over to respond and notify.
    pub queues: &'a dyn Queues,
}

/// Judges what was observed and hands decisions on: quarantine to respond, notify to notify. A note goes nowhere:
/// the inventory has it.
///
/// # Errors
/// If the policy cannot be read or the queue refuses; the message is tried again.
pub async fn run(ports: &Ports<'_>, settings: &Settings, seen: &Observed, now: Timestamp) -> Answer<Vec<Decision>> {
    let in_force = match &seen.policy {
        Some(stored) => in_force::of(stored.clone(), ports.policies, settings).await,
        None => in_force::read(ports.policies, settings).await?,
    };
    let decisions = picket_checks::decide(&in_force.policy, &in_force.version, &seen.observations, now);
    let mut messages: Vec<Message> = decisions.iter().map(|d| hand_over(d, settings, now)).collect();
    messages.extend(policy_trouble(&in_force, decisions.first(), settings, now));
    if !messages.is_empty() {
        ports.queues.send(messages).await?;
    }
    Ok(decisions)
}

fn hand_over(decision: &Decision, settings: &Settings, now: Timestamp) -> Message {
    match decision.verdict {
        Verdict::Quarantine => Message::Decision(Box::new(decision.clone())),
        Verdict::Notify | Verdict::Note => Message::Notice(Box::new(Notice {
            id: format!("{}/suspicious", decision.case),
            kind: NoticeKind::Suspicious,
            decision: decision.clone(),
            at: now,
            stack: settings.stack.clone(),
        })),
    }
}

/// A broken policy is told with the first decision that it could have changed; once for each broken text.
fn policy_trouble(
    in_force: &InForce,
    first: Option<&Decision>,
    settings: &Settings,
    now: Timestamp,
) -> Option<Message> {
    let (trouble, decision) = (in_force.trouble.as_ref()?, first?);
    let (mode, _) = in_force.mode();
    let what = format!(
        "the policy in the store is broken and not in force: {trouble}. Version {} in mode {mode} is used instead. \
         Mend it and run `picket policy apply FILE --stack {}`",
        in_force.version, settings.stack
    );
    Some(Message::Notice(Box::new(Notice {
        id: format!("policy-trouble/{trouble}"),
        kind: NoticeKind::Trouble { what },
        decision: decision.clone(),
        at: now,
        stack: settings.stack.clone(),
    })))
}
