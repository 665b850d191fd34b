//! Watch: does somebody work against Picket? It is told of two kinds of calls: those that would blind or disarm Picket,
//! and those that Picket's own roles make. The former are told whoever makes them; the latter are compared with the
//! journal: what has no intent there was not us, whatever role it used.
//!
//! Guarantees: a change by our role is only quiet if a hold's journal announced it, for that very thing, before it.
//! Caveats: calls of IAM are not compared, because their records come in another Region than the hold is in; making and
//! emptying a quarantine group needs no hold, so that a group of our mark is let pass. Deployments are told, too.

use jiff::{SignedDuration, Timestamp};
use picket_model::{
    CaseId, Change, Decision, Entry, Event, Hold, Measure, Notice, NoticeKind, Scope, Score, TriggerKind, Untrusted,
    Verdict,
};

use crate::in_force::Settings;
use crate::measures;
use crate::messages::Message;
use crate::ports::{Answer, Clock, Holds, Queues};

/// How far CloudTrail's clock and ours may be apart.
const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// Calls that blind Picket whatever they are about.
const BLINDS_ALL: &[&str] = &["DeleteTrail", "LeaveOrganization", "PutEventSelectors", "StopLogging", "UpdateTrail"];
/// The most of a caller's words that a notice shows.
const MOST_NAMES: usize = 5;

/// One call, as CloudTrail recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Where.
    pub scope: Scope,
    /// The call, such as `DeleteRule`.
    pub name: Untrusted,
    /// When.
    pub at: Timestamp,
    /// Who made it.
    pub by: Untrusted,
    /// From where.
    pub from: Untrusted,
    /// Whether it was made with a role of this deployment that changes things.
    pub ours: bool,
    /// What it is about: instances, interfaces, Auto Scaling groups.
    pub things: Vec<String>,
    /// Every name in its request, for finding this deployment's own.
    pub names: Vec<String>,
}

/// What watch needs.
pub struct Ports<'a> {
    /// Knows what we meant to do.
    pub holds: &'a dyn Holds,
    /// Hands over to notify.
    pub queues: &'a dyn Queues,
    /// Tells the time.
    pub clock: &'a dyn Clock,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// We announced it.
    Announced,
    /// It has nothing to do with this deployment.
    Foreign,
    /// It was told.
    Told,
}

/// Judges one call.
///
/// # Errors
/// If the journal could not be read or the notice not handed over.
pub async fn run(ports: &Ports<'_>, settings: &Settings, call: &Call) -> Answer<Watched> {
    let holds = ports.holds.holds(&call.scope).await?;
    let what = if call.ours {
        if call.things.is_empty() || announced(ports, call, &holds).await? {
            return Ok(Watched::Announced);
        }
        format!(
            "{} on {} was made with Picket's own role and no hold announced it: take the role's sessions away, and look \
             who can use it",
            call.name,
            list(&call.things)
        )
    } else {
        if BLINDS_ALL.contains(&call.name.as_str()) {
            let what =
                format!("{}: Picket may see no API call any more; what starts is still found by sweeps", call.name);
            tell(ports, settings, call, what).await?;
            return Ok(Watched::Told);
        }
        let own = |n: &&String| {
            is_own(n, &settings.stack) || holds.iter().any(|h| h.quarantine.iter().any(|q| q.as_str() == n.as_str()))
        };
        let Some(name) = call.names.iter().find(own) else { return Ok(Watched::Foreign) };
        format!(
            "{} on {}: if this is no deployment of yours, somebody is disarming Picket",
            call.name,
            Untrusted::new(name)
        )
    };
    tell(ports, settings, call, what).await?;
    Ok(Watched::Told)
}

/// Whether a name is one of this deployment's: all of them begin with the stack's name and a dash, and stand alone, or
/// at the end of an ARN or URL.
fn is_own(name: &str, stack: &str) -> bool {
    let last = name.rsplit(['/', ':']).next().unwrap_or(name);
    last.strip_prefix(stack).is_some_and(|rest| rest.starts_with('-')) || name.contains(&format!("/{stack}/"))
}

/// Whether a hold's journal held the intent before the call was made.
async fn announced(ports: &Ports<'_>, call: &Call, holds: &[Hold]) -> Answer<bool> {
    let about = |h: &&Hold| {
        let named =
            |thing: &String| h.instance.as_str() == thing || h.captures.iter().any(|c| c.interface.as_str() == thing);
        call.things.iter().any(named) || h.measures.iter().any(|m| changes(m, call))
    };
    for hold in holds.iter().filter(about) {
        // Some measures name in words what they are done to, such as the volumes of an instance, and not each by its id.
        let measures: Vec<String> =
            hold.measures.iter().filter(|m| changes(m, call)).map(|m| measures::subject(hold, m)).collect();
        let mut cases: Vec<&CaseId> = vec![&hold.case];
        cases.extend(&hold.also);
        for case in cases {
            if ports.holds.journal(case).await?.iter().any(|e| is_intent(e, call, &measures)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether what a call is about is among what a measure changes or puts back.
fn changes(measure: &Measure, call: &Call) -> bool {
    let names = |change: &Change| {
        let whole = serde_json::to_string(change).unwrap_or_default();
        call.things.iter().any(|thing| whole.contains(thing.as_str()) || change.to_string().contains(thing.as_str()))
    };
    names(&measure.apply) || measure.undo.as_ref().is_some_and(names)
}

fn is_intent(entry: &Entry, call: &Call, measures: &[String]) -> bool {
    let intends = matches!(
        entry.event,
        Event::ContainIntended | Event::ReleaseIntended | Event::MeasureIntended | Event::UndoIntended
    );
    let before = entry.at <= call.at.saturating_add(SKEW).unwrap_or(call.at);
    let named = call.things.iter().any(|thing| entry.subject.contains(thing.as_str()));
    intends && before && (named || measures.contains(&entry.subject))
}

fn list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(MOST_NAMES).map(|n| Untrusted::new(n).to_string()).collect();
    shown.join(", ")
}

/// Told once an hour for the same call by the same caller.
async fn tell(ports: &Ports<'_>, settings: &Settings, call: &Call, what: String) -> Answer<()> {
    let hour = call.at.strftime("%Y-%m-%dT%H").to_string();
    let seed = format!("tampering {} {} {hour}", call.name, call.by);
    let case = CaseId::derive(&call.scope, &seed);
    let decision = Decision {
        case: case.clone(),
        verdict: Verdict::Notify,
        scope: call.scope.clone(),
        targets: Vec::new(),
        score: Score::default(),
        principal: None,
        trigger: TriggerKind::Manual,
        triggered_at: call.at,
        policy: String::new(),
        ordered: false,
    };
    let what = format!("{what}. By {} from {}", call.by, call.from);
    let kind = NoticeKind::Tampering { what };
    let notice = Notice {
        id: format!("{case}/tampering"),
        kind,
        decision,
        at: ports.clock.now(),
        stack: settings.stack.clone(),
    };
    ports.queues.send(vec![Message::Notice(Box::new(notice))]).await
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;
    use crate::fakes::World;
    use crate::respond::tests as respond;

    fn call(ours: bool, things: &[&str], names: &[&str], at: Timestamp) -> Call {
        let own = |all: &[&str]| all.iter().map(|n| (*n).to_owned()).collect();
        Call {
            scope: respond::scope(),
            name: "ModifyNetworkInterfaceAttribute".into(),
            at,
            by: "arn:aws:sts::123456789012:assumed-role/picket-respond/x".into(),
            from: "198.51.100.7".into(),
            ours,
            things: own(things),
            names: own(names),
        }
    }

    fn judged(world: &World, call: &Call) -> Watched {
        let ports = Ports { holds: world, queues: world, clock: world };
        run(&ports, &respond::settings(), call).now_or_never().unwrap().unwrap()
    }

    #[test]
    fn what_a_hold_announced_is_quiet_and_everything_else_by_our_role_is_told() {
        let world = respond::world(1, 1);
        respond::once(&world, &respond::decision(1), &respond::settings()).unwrap().unwrap();
        let now = world.state().now;
        assert_eq!(judged(&world, &call(true, &["eni-00000000"], &[], now)), Watched::Announced);
        assert_eq!(judged(&world, &call(true, &["i-00000000"], &[], now)), Watched::Announced);
        assert_eq!(judged(&world, &call(true, &["eni-0000000f"], &[], now)), Watched::Told);
        let before = now.saturating_sub(SignedDuration::from_hours(2)).unwrap();
        assert_eq!(judged(&world, &call(true, &["eni-00000000"], &[], before)), Watched::Told);
    }

    #[test]
    fn what_measures_were_done_to_is_announced_by_its_id_too() {
        let world = respond::world(1, 1);
        world.state().facts.values_mut().for_each(|f| f.volumes = vec!["vol-0abcdef0123456789".into()]);
        respond::once(&world, &respond::decision(1), &respond::settings()).unwrap().unwrap();
        let now = world.state().now;
        let volumes = |m: &Measure| match &m.apply {
            Change::TagVolumes { volumes, .. } => volumes.first().map(ToString::to_string),
            _ => None,
        };
        let hold = world.state().holds.values().next().cloned().unwrap();
        let volume = hold.measures.iter().find_map(volumes).unwrap();
        assert_eq!(judged(&world, &call(true, &[&volume], &[], now)), Watched::Announced);
        assert_eq!(judged(&world, &call(true, &["vol-0feedfeedfeedfee0"], &[], now)), Watched::Told);
    }

    #[test]
    fn only_what_is_this_deployment_s_own_is_tampering() {
        let world = respond::world(1, 1);
        let now = world.state().now;
        for (name, expected) in [
            ("picket-ec2-calls", Watched::Told),
            ("arn:aws:lambda:us-east-1:123456789012:function:picket-respond", Watched::Told),
            ("https://sqs.us-east-1.amazonaws.com/123456789012/picket-triggers", Watched::Told),
            ("picketfence-rule", Watched::Foreign),
            ("orders", Watched::Foreign),
        ] {
            assert_eq!(judged(&world, &call(false, &[], &[name], now)), expected, "{name}");
        }
    }

    #[test]
    fn a_rule_in_a_quarantine_group_is_tampering() {
        let world = respond::world(1, 1);
        respond::once(&world, &respond::decision(1), &respond::settings()).unwrap().unwrap();
        let (now, group) = {
            let state = world.state();
            (state.now, state.quarantine.values().next().unwrap().to_string())
        };
        assert_eq!(judged(&world, &call(false, &[], &[&group], now)), Watched::Told);
    }
}
