//! From what an account holds in a Region to the clusters in it. Sights come one by one and in any order; of each, only
//! what may matter is kept, so that ten thousand instances with their user data need not be held at once. What a mark is
//! worth is `fingerprints`'; here things are put together: evidence to instances, instances to clusters.

mod doors;
mod evidence;
mod husks;
mod join;
mod keep;
mod verdict;

use picket_model::landscape::{Landscape, Sight, Survey};
use picket_model::{InstanceId, Scope, Untrusted, VpcId};

use self::keep::Kept;

/// An instance of which too little is known to say what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsure {
    /// Which.
    pub instance: InstanceId,
    /// Its VPC.
    pub vpc: Option<VpcId>,
    /// Its addresses and names, private ones first.
    pub addresses: Vec<Untrusted>,
}

/// Takes sights, and judges at the end.
#[derive(Debug)]
pub struct Surveyor {
    scope: Scope,
    kept: Kept,
}

impl Surveyor {
    /// A surveyor who has seen nothing yet.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        let kept = Kept { account: scope.account.to_string(), ..Kept::default() };
        Self { scope, kept }
    }

    /// Takes one thing, and keeps of it what may matter.
    pub fn see(&mut self, sight: Sight) {
        self.kept.take(sight);
    }

    /// How many instances were seen so far.
    #[must_use]
    pub fn instances(&self) -> usize {
        self.kept.units.len()
    }

    /// The instances that cannot be judged surely by what was seen so far: too little speaks for Kubernetes, or it is
    /// Kubernetes and nothing tells of which kind. More may be seen after this.
    #[must_use]
    pub fn unsure(&mut self) -> Vec<Unsure> {
        self.kept.settle();
        let judged = evidence::judge(&mut self.kept);
        let open = self.kept.units.iter().zip(&judged.verdicts).filter(|(_, v)| v.is_suspect() || v.is_nameless());
        let unsure = |(unit, _): (&keep::Unit, _)| {
            Some(Unsure { instance: unit.id.clone()?, vpc: unit.vpc.clone(), addresses: unit.addresses.clone() })
        };
        open.filter_map(unsure).collect()
    }

    /// Judges all that was seen.
    #[must_use]
    pub fn finish(self) -> Survey {
        let Self { scope, mut kept } = self;
        kept.settle();
        let judged = evidence::judge(&mut kept);
        let components = join::join(&kept, &judged);
        let mut clusters = verdict::clusters(&scope, &kept, &judged, &components);
        husks::add(&scope, &kept, &mut clusters);
        verdict::name_apart(&mut clusters);
        clusters.sort_by(|a, b| a.id.cmp(&b.id));
        let suspects = verdict::suspects(&kept, &judged, &components);
        Survey { scope, instances: kept.units.len(), clusters, suspects, unseen: kept.unseen }
    }
}

/// Judges a landscape that is there as a whole.
#[must_use]
pub fn survey(landscape: Landscape) -> Survey {
    let mut surveyor = Surveyor::new(landscape.scope.clone());
    landscape.sights().for_each(|sight| surveyor.see(sight));
    surveyor.finish()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
