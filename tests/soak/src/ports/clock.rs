//! The simulated clock.

use jiff::Timestamp;
use picket_pipeline::ports::Clock;

use crate::call::Client;

impl Clock for Client {
    fn now(&self) -> Timestamp {
        self.sim.world().time()
    }
}
