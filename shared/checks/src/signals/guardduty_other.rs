//! GuardDuty saw something else that is grave: it adds up with what we see, and does not act alone.

use picket_model::{Observation, trigger};

use super::{Judged, Signal, guardduty_crypto, yes};
use crate::policy::Policy;

/// High severity begins at 7.0 (GuardDuty user guide, severity levels).
const HIGH_TENTHS: u16 = 70;

pub(super) const SIGNAL: Signal = Signal {
    name: "guardduty_other",
    weight: 40,
    about: "GuardDuty or Security Hub reports another finding of high severity",
    judge,
};

fn judge(observation: &Observation, _: &Policy) -> Judged {
    match &observation.trigger.signal {
        Some(trigger::Signal::Finding { finding, severity_tenths })
            if *severity_tenths >= HIGH_TENTHS && !guardduty_crypto::is_crypto(finding.as_str()) =>
        {
            let (whole, tenths) = (severity_tenths / 10, severity_tenths % 10);
            yes(
                format!("{finding} was reported with severity {whole}.{tenths}"),
                format!("finding {}", observation.trigger.event),
            )
        }
        _ => Judged::No,
    }
}
