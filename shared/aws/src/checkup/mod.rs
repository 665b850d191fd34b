//! The self-test: whether what happens in the account can reach Picket at all. Without a trail, with a rule switched off
//! or a queue that nobody reads, no event arrives and nothing says so; the sweep alone would find what is new.

mod canary;
mod delivery;
mod trail;

use picket_model::{Region, Scope};
use serde::{Deserialize, Serialize};

use crate::Clients;

pub use canary::Canary;

/// How a thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Well,
    /// It works, and less is seen than could be.
    Weak,
    /// Something will be missed.
    Ill,
    /// It could not be read.
    Unknown,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What, such as `the trail`.
    pub what: String,
    /// Where.
    pub region: Region,
    /// How it was found.
    pub health: Health,
    /// In words.
    pub says: String,
    /// What mends it.
    pub mend: Option<String>,
}

impl Finding {
    fn well(what: &str, region: &Region, says: impl Into<String>) -> Self {
        Self { what: what.to_owned(), region: region.clone(), health: Health::Well, says: says.into(), mend: None }
    }

    fn ill(what: &str, region: &Region, says: impl Into<String>, mend: impl Into<String>) -> Self {
        let mend = Some(mend.into());
        Self { what: what.to_owned(), region: region.clone(), health: Health::Ill, says: says.into(), mend }
    }

    fn weak(what: &str, region: &Region, says: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { health: Health::Weak, ..Self::ill(what, region, says, mend) }
    }

    fn unknown(what: &str, region: &Region, error: &picket_pipeline::PortError) -> Self {
        let says = format!("not known: {}", picket_pipeline::scan::reason(error));
        Self { what: what.to_owned(), region: region.clone(), health: Health::Unknown, says, mend: None }
    }
}

/// The self-test of one deployment.
#[derive(Debug)]
pub struct Checkup<'a> {
    /// With whose credentials.
    pub clients: &'a Clients,
    /// The stack.
    pub stack: &'a str,
    /// Where it is deployed.
    pub home: &'a Scope,
}

impl Checkup<'_> {
    /// Looks at what would keep events away: the trail of home, the rules, and the forwarding of `elsewhere`.
    pub async fn wire(&self, elsewhere: &[Region]) -> Vec<Finding> {
        let (trails, rules) = futures::join!(self.trails(&[]), self.rules());
        let mut all = [trails, rules].concat();
        for region in elsewhere.iter().filter(|r| **r != self.home.region) {
            all.push(self.forwarding(region).await);
        }
        all
    }

    /// Looks at everything that needs no waiting: trails, rules and their targets, the queues' readers, dead letters, and
    /// in `elsewhere` whether events are forwarded.
    pub async fn look(&self, elsewhere: &[Region]) -> Vec<Finding> {
        let (trails, rules, readers, letters) =
            futures::join!(self.trails(elsewhere), self.rules(), self.readers(), self.dead_letters());
        let mut all = [trails, rules, readers, letters].concat();
        for region in elsewhere.iter().filter(|r| **r != self.home.region) {
            all.push(self.forwarding(region).await);
        }
        all
    }
}
