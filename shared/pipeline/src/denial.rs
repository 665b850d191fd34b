//! Denials of an instance's sessions, made for those who may not make them: only what a hold says is made.
//!
//! Guarantees: a deny is written only where an open hold intends or made it, and taken away only while its hold is being
//! released; every other change is refused, whoever asks.

use picket_model::{Change, Hold, HoldState, Scope};

use crate::permit;
use crate::ports::{Answer, Holds, Kind, Levers, PortError};

/// Makes one.
///
/// # Errors
/// If no hold says so, or as AWS answers.
pub async fn make(levers: &dyn Levers, holds: &dyn Holds, scope: &Scope, change: &Change) -> Answer<()> {
    let refused = |why: &str| PortError::new("denying", change, Kind::Denied, why);
    let (Change::DenySessions { instance, .. } | Change::AllowSessions { instance, .. }) = change else {
        return Err(refused("it is no denial"));
    };
    let hold = holds.hold(scope, instance).await?.ok_or_else(|| refused("nothing is held"))?;
    if !is_said(&hold, change) {
        return Err(refused("the hold does not say so"));
    }
    levers.make(&permit::for_denial(instance), scope, change).await
}

/// Whether a hold says so.
fn is_said(hold: &Hold, change: &Change) -> bool {
    let deny = matches!(change, Change::DenySessions { .. });
    match hold.state {
        HoldState::Containing | HoldState::Contained => deny && hold.measures.iter().any(|m| &m.apply == change),
        HoldState::Releasing => !deny && hold.measures.iter().any(|m| m.undo.as_ref() == Some(change)),
        HoldState::Released => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::World;
    use crate::respond::tests::{decision, instance_id, once, scope, settings, world};

    fn held() -> (World, Hold) {
        let world = world(1, 1);
        once(&world, &decision(1), &settings()).map(Result::unwrap).unwrap();
        let hold = world.state().holds[&instance_id(0)].clone();
        (world, hold)
    }

    fn ask(world: &World, change: &Change) -> Answer<()> {
        futures::executor::block_on(make(world, world, &scope(), change))
    }

    #[test]
    fn only_what_a_hold_says_is_denied_and_only_its_release_lets_it_go_on() {
        let (world, hold) = held();
        let measure = hold.measures.iter().find(|m| m.action == "cut_credentials").unwrap();
        let (deny, allow) = (measure.apply.clone(), measure.undo.clone().unwrap());
        assert!(ask(&world, &deny).is_ok());
        assert_eq!(ask(&world, &allow).unwrap_err().kind, Kind::Denied);
        let other = Change::DenySessions { role: "admin".into(), role_id: "AROA2".into(), instance: instance_id(0) };
        assert_eq!(ask(&world, &other).unwrap_err().kind, Kind::Denied);
        world.state().holds.get_mut(&instance_id(0)).unwrap().state = HoldState::Releasing;
        assert!(ask(&world, &allow).is_ok());
        assert_eq!(ask(&world, &deny).unwrap_err().kind, Kind::Denied);
    }

    #[test]
    fn what_is_not_held_and_what_is_no_denial_is_refused() {
        let (world, _) = held();
        let stranger = Change::DenySessions { role: "node".into(), role_id: "AROA1".into(), instance: instance_id(9) };
        let stop = Change::Stop { instance: instance_id(0) };
        for change in [stranger, stop] {
            assert_eq!(ask(&world, &change).unwrap_err().kind, Kind::Denied, "{change}");
        }
    }
}
