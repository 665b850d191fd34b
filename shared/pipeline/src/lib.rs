//! The verbs of Picket, one module a stage: `discover`, `assess`, `respond`, `release`, `notify`, `sweep`.
//! They speak to the world through `ports`; `picket-aws` stands behind those, and `fakes` do in tests.
//! What is decided is in `picket-checks`; how events look is in `picket-aws`.

pub mod actions;
pub mod assess;
pub mod channels;
pub mod denial;
pub mod digest;
pub mod discover;
pub mod fakes;
pub mod fix;
pub mod fixes;
pub mod flows;
pub mod in_force;
pub mod keep;
pub mod measures;
pub mod messages;
pub mod notify;
pub mod order;
pub mod pace;
pub mod permit;
pub mod plan;
pub mod ports;
pub mod posture;
pub mod rails;
pub mod reasons;
pub mod release;
pub mod render;
pub mod respond;
pub mod round;
pub mod scan;
pub mod sweep;
mod wants;
pub mod watch;
pub mod words;

pub use in_force::{InForce, Settings};
pub use messages::Observed;
pub use permit::{Permit, Refusal};
pub use ports::{Kind, PortError};
pub use wants::rules_between;
