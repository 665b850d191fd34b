//! GuardDuty saw mining. Sample and archived findings never come this far: they are dropped when decoded.

use picket_model::{Observation, trigger};

use super::{Judged, Signal, yes};
use crate::policy::Policy;

/// The finding types that mean mining (GuardDuty user guide, finding types, December 2025).
const CRYPTO: &[&str] = &[
    "CryptoCurrency:EC2/BitcoinTool.B",
    "CryptoCurrency:EC2/BitcoinTool.B!DNS",
    "CryptoCurrency:Lambda/BitcoinTool.B",
    "CryptoCurrency:Runtime/BitcoinTool.B",
    "CryptoCurrency:Runtime/BitcoinTool.B!DNS",
    "Impact:EC2/BitcoinDomainRequest.Reputation",
    "Impact:Runtime/BitcoinDomainRequest.Reputation",
    "Impact:Runtime/CryptoMinerExecuted",
];

pub(super) const SIGNAL: Signal =
    Signal { name: "guardduty_crypto", weight: 70, about: "GuardDuty reports cryptocurrency mining", judge };

fn judge(observation: &Observation, _: &Policy) -> Judged {
    match &observation.trigger.signal {
        Some(trigger::Signal::Finding { finding, .. }) if is_crypto(finding.as_str()) => {
            yes(format!("GuardDuty reports {finding}"), format!("finding {}", observation.trigger.event))
        }
        _ => Judged::No,
    }
}

pub(super) fn is_crypto(finding: &str) -> bool {
    CRYPTO.contains(&finding)
}
