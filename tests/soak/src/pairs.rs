//! Every pair of faults, for every playbook: each kind at every call boundary, and each pair of kinds at each pair of
//! boundaries. A boundary is a call of a worker that changes or tells; a kind is played where it can meet the call. The
//! second of a pair falls on whichever call has its number once the first has happened, so that some pairs meet one.
//! A denial that lasts until somebody gives the permission is played at every boundary, too: meanwhile it is told.
//! Not here: Karpenter, controllers and attackers, who act in seeds; fixes, whose pairs are in `picket-pipeline`.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::api::Api;
use crate::playbook::{Owner, Play, Played, Rung, play, play_denied};
use crate::weather::Fault;

/// So many consecutive shares are all pairs.
pub const SHARES: usize = 101;

/// The playbooks, in several topologies.
#[must_use]
pub fn playbooks() -> Vec<(&'static str, Play)> {
    let plain = Play::PLAIN;
    let full = Play { full: true, ..plain };
    let two = Play { instances: 2, ..full };
    vec![
        ("groups alone, 2 instances of 2", Play { instances: 2, interfaces: 2, ..plain }),
        ("groups alone, 4 interfaces", Play { interfaces: 4, ..plain }),
        ("groups alone, 15 interfaces", Play { interfaces: 15, ..plain }),
        ("groups alone, branch interfaces", Play { interfaces: 2, branches: 2, ..plain }),
        ("groups alone, lifted by deadline", Play { expires: true, ..plain }),
        ("full", full),
        ("full, lifted by deadline", Play { expires: true, ..full }),
        ("full, network ACL", Play { rung: Rung::Acl, ..full }),
        ("full, public address", Play { rung: Rung::Address, ..full }),
        ("full, two-step", Play { rung: Rung::Window, ..full }),
        ("full, stop", Play { rung: Rung::Stop, ..full }),
        ("full, every rung, 4 and branches", Play { interfaces: 4, branches: 2, rung: Rung::Any, ..full }),
        ("full, Auto Scaling", Play { owner: Owner::ScalingGroup, ..two }),
        ("full, managed node group", Play { owner: Owner::NodeGroup, ..two }),
        ("full, Spot", Play { owner: Owner::Spot, ..full }),
        ("full, fleet", Play { owner: Owner::Fleet, ..two }),
    ]
}

/// What came of one playbook.
#[derive(Debug, Default)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// Calls of workers that change or tell.
    pub boundaries: usize,
    /// Plays with one fault.
    pub single: usize,
    /// Plays with a denial that lasts until the permission is given.
    pub denied: usize,
    /// Plays with two faults.
    pub pairs: usize,
    /// Those of them that met both.
    pub both: usize,
    /// All pairs that there are.
    pub of: usize,
    /// Plays that converged.
    pub converged: usize,
    /// Plays that left an interface open.
    pub open: usize,
    /// Plays in which a failure undid a containment.
    pub uncontained: usize,
    /// What went wrong first.
    pub wrong: Vec<String>,
}

/// One play's faults.
enum Faults {
    One((u64, Fault)),
    Two([(u64, Fault); 2]),
    Lasting(u64, Api),
}

/// Plays a playbook: all of it, or one share of the pairs that are not adjacent.
#[must_use]
pub fn run(name: &'static str, book: Play, share: Option<usize>) -> Row {
    let clean = play(book, &[]);
    let (all, of) = faults(&clean.own, share);
    let row = Mutex::new(Row { name, boundaries: clean.own.len(), of, ..Row::default() });
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let came = one.play(book);
                    row.lock().unwrap_or_else(PoisonError::into_inner).add(one, came);
                }
            });
        }
    });
    row.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// What is played, and how many pairs there are.
fn faults(own: &[(u64, Api)], share: Option<usize>) -> (Vec<Faults>, usize) {
    let kinds = |api: Api| Fault::ALL.into_iter().filter(move |f| f.meets(api));
    let (mut all, mut of) = (Vec::new(), 0);
    for (n, (first, api)) in own.iter().enumerate() {
        all.extend(kinds(*api).map(|a| Faults::One((*first, a))));
        all.extend(Fault::Denied.meets(*api).then_some(Faults::Lasting(*first, *api)));
        for (m, (second, other)) in own.iter().enumerate().skip(n + 1) {
            for (a, b) in kinds(*api).flat_map(|a| kinds(*other).map(move |b| (a, b))) {
                of += 1;
                let mine = share.is_none_or(|s| m == n + 1 || of % SHARES == s % SHARES);
                all.extend(mine.then_some(Faults::Two([(*first, a), (*second, b)])));
            }
        }
    }
    (all, of)
}

impl Faults {
    fn play(&self, book: Play) -> Played {
        match self {
            Self::One(one) => play(book, &[*one]),
            Self::Two(two) => play(book, two),
            Self::Lasting(call, api) => play_denied(book, *call, *api),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::One((at, a)) => format!("{a:?} at {at}"),
            Self::Two([(first, a), (second, b)]) => format!("{a:?} at {first}, {b:?} at {second}"),
            Self::Lasting(at, api) => format!("{api:?} denied from {at} on"),
        }
    }
}

impl Row {
    fn add(&mut self, faults: &Faults, came: Played) {
        match faults {
            Faults::One(_) => self.single += 1,
            Faults::Lasting(..) => self.denied += 1,
            Faults::Two(_) => {
                self.pairs += 1;
                self.both += usize::from(came.met == 2);
            }
        }
        self.converged += usize::from(came.wrong.is_empty());
        self.open += usize::from(came.open);
        self.uncontained += usize::from(came.uncontained);
        if !came.wrong.is_empty() && self.wrong.len() < 10 {
            self.wrong.push(format!("{}: {:?}", faults.name(), came.wrong));
        }
    }

    /// The names of the columns.
    pub const HEADER: &str = "playbook                           boundaries  single  denied     pairs  both met    of all \
                              converged left open undone";

    /// How many plays there were.
    #[must_use]
    pub fn plays(&self) -> usize {
        self.single + self.denied + self.pairs
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, boundaries, single, denied, pairs, both, of, converged, open, uncontained, .. } = self;
        write!(f, "{name:<34} {boundaries:>10} {single:>7} {denied:>7} {pairs:>9} {both:>9} {of:>9} ")?;
        write!(f, "{converged:>9} {open:>9} {uncontained:>6}")
    }
}
