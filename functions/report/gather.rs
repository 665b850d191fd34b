//! Everything that is true now of an account, read from the state: findings, holds, clusters, what was told, what could not
//! be seen. Nothing here asks AWS about resources; the sweep and collect do.

use std::collections::BTreeSet;

use jiff::Timestamp;
use picket_aws::Table;
use picket_checks::Book;
use picket_checks::risk::Live;
use picket_model::landscape::{Clue, Reach as Door, ReachFrom};
use picket_model::{AccountId, Assessment, Hold, HoldState, Scope, Severity, Status, Unseen, Untrusted};
use picket_pipeline::in_force;
use picket_pipeline::ports::{Answer, Holds as _};
use picket_pipeline::posture::Findings as _;
use picket_pipeline::scan::{Atlas as _, Kept, Looked};
use picket_report::risk::{Going, risks, sort};
use picket_report::snapshot::{Day, FoundCluster, Reach, Report};

use super::episode::{self, Told};
use super::export::failed;
use super::held::held;
use crate::entry::Entry;

/// How many clues of a cluster are shown.
const CLUES: usize = 12;
/// What says that something is going on in an instance.
const LIVE: [&str; 4] = ["quarantined", "would_quarantine", "refused", "suspicious"];

/// The report of an account. Writes the day's numbers down, too.
pub async fn report(entry: &Entry, home: &Scope, account: &AccountId, now: Timestamp) -> Answer<Report> {
    let table = &entry.table;
    let told = episode::latest(table, account).await?;
    let places: Vec<Looked> = table.places().await?.into_iter().filter(|p| p.scope.account == *account).collect();
    let scopes = scopes(home, account, &places, &told);
    let assessment = assessment(table, account, &places, now).await?;
    let day = Day { date: now.strftime("%Y-%m-%d").to_string(), open: open(&assessment) };
    table.keep_day(account, &day.date, &day, now).await?;
    let in_force = in_force::read(table, &entry.settings).await?;
    let paused = in_force.paused.as_ref().map(|why| format!("; all changes are paused: {why}")).unwrap_or_default();
    Ok(Report {
        of: format!("account {account}"),
        stack: entry.settings.stack.clone(),
        at: now,
        mode: format!("{}{paused}", in_force.mode().0),
        held: board(table, &scopes, &told).await?,
        clusters: clusters(table, &scopes).await?,
        assets: risks(&book(table).await?, &assessment.findings, &going(&told), now),
        episodes: told.iter().map(Told::episode).collect(),
        trend: table.days(account).await?,
        assessment,
    })
}

/// One report of all of them.
pub fn together(mut whole: Report, others: Vec<Report>) -> Report {
    let accounts = 1 + others.len();
    for one in others {
        whole.assessment.accounts.extend(one.assessment.accounts);
        whole.assessment.findings.extend(one.assessment.findings);
        whole.assessment.unseen.extend(one.assessment.unseen);
        whole.assessment.benchmarks =
            picket_report::together::benchmarks(whole.assessment.benchmarks, one.assessment.benchmarks);
        whole.held.extend(one.held);
        whole.clusters.extend(one.clusters);
        whole.assets.extend(one.assets);
        whole.episodes.extend(one.episodes);
        whole.trend = picket_report::together::days(whole.trend, one.trend);
    }
    whole.of = format!("organization: {accounts} accounts");
    whole.held.sort_by_key(|h| h.since);
    whole.episodes.sort_by_key(|e| std::cmp::Reverse(e.at));
    sort(&mut whole.assets);
    whole
}

/// Where something of the account is known.
fn scopes(home: &Scope, account: &AccountId, places: &[Looked], told: &[Told]) -> BTreeSet<Scope> {
    let known = places.iter().map(|p| p.scope.clone()).chain(told.iter().map(Told::scope)).chain([home.clone()]);
    known.filter(|s| s.account == *account).collect()
}

async fn assessment(table: &Table, account: &AccountId, places: &[Looked], now: Timestamp) -> Answer<Assessment> {
    let mut unseen: BTreeSet<Unseen> = table.unseen(account).await?.into_iter().collect();
    for place in places {
        let line = |u: &picket_model::landscape::Unseen| Unseen {
            what: format!("{}: {}", place.scope.region, u.what),
            why: u.reason.clone(),
            permission: None,
        };
        unseen.extend(place.unseen.iter().map(line));
    }
    Ok(Assessment {
        accounts: vec![account.clone()],
        at: now,
        findings: table.findings(account).await?,
        benchmarks: table.benchmarks(account).await?,
        evaluations: Vec::new(),
        unseen: unseen.into_iter().collect(),
    })
}

fn open(assessment: &Assessment) -> [u32; 4] {
    let of = |severity: Severity| {
        let open = assessment.findings.iter().filter(|f| f.severity == severity);
        u32::try_from(open.filter(|f| f.status(assessment.at) == Status::Open).count()).unwrap_or(u32::MAX)
    };
    [of(Severity::Critical), of(Severity::High), of(Severity::Medium), of(Severity::Low)]
}

async fn board(table: &Table, scopes: &BTreeSet<Scope>, told: &[Told]) -> Answer<Vec<picket_report::snapshot::Held>> {
    let mut holds: Vec<Hold> = Vec::new();
    for scope in scopes {
        holds.extend(table.holds(scope).await?.into_iter().filter(|h| h.state != HoldState::Released));
    }
    holds.sort_by_key(|h| h.since);
    let mut board = Vec::with_capacity(holds.len());
    for hold in &holds {
        board.push(held(hold, &table.journal(&hold.case).await?, told));
    }
    Ok(board)
}

async fn clusters(table: &Table, scopes: &BTreeSet<Scope>) -> Answer<Vec<FoundCluster>> {
    let mut all = Vec::new();
    for scope in scopes {
        all.extend(table.clusters(scope).await?.iter().map(cluster));
    }
    all.sort_by_key(|c: &FoundCluster| (c.gone, !c.exposure.iter().any(|r| r.world), c.first_seen));
    Ok(all)
}

fn cluster(kept: &Kept) -> FoundCluster {
    let found = &kept.found;
    let mut evidence: Vec<&Clue> = found.evidence.iter().collect();
    evidence.sort_by_key(|c| std::cmp::Reverse(c.weight));
    FoundCluster {
        name: found.name.clone().unwrap_or_else(|| Untrusted::new(&found.id)),
        distribution: found.distribution.clone(),
        version: found.version.clone(),
        account: found.scope.account.clone(),
        region: found.scope.region.clone(),
        nodes: found.nodes.len(),
        confidence: u8::try_from(found.confidence.min(100)).unwrap_or(100),
        owner: found.owner.clone(),
        exposure: found.exposure.iter().map(reach).collect(),
        evidence: evidence.into_iter().take(CLUES).map(clue).collect(),
        first_seen: kept.first_seen,
        last_seen: kept.last_seen,
        gone: kept.gone_at.is_some(),
    }
}

fn clue(clue: &Clue) -> Untrusted {
    Untrusted::new(&format!("{:+} {} at {}: {}", clue.weight, clue.mark, clue.at, clue.found))
}

fn reach(door: &Door) -> Reach {
    let (from, world) = match &door.from {
        ReachFrom::World(range) => (format!("{range}, by {}", door.by), door.public),
        ReachFrom::Net(range) => (range.clone(), false),
        ReachFrom::Cluster(group) => (format!("the cluster itself ({group})"), false),
        ReachFrom::Group(group) => (group.to_string(), false),
        ReachFrom::PrefixList(list) => (list.to_string(), false),
    };
    Reach { part: door.door.to_string(), port: door.port, from: Untrusted::new(&from), world }
}

/// What was told of instances and still goes on.
fn going(told: &[Told]) -> Vec<Going> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for one in told.iter().filter(|t| LIVE.contains(&t.kind.as_str())) {
        for target in &one.assets {
            let Some(instance) = &target.instance else { continue };
            let asset = format!("ec2.instance/{instance}");
            let Some(last) = going_on(told, &asset).filter(|_| seen.insert(asset.clone())) else { continue };
            let (scope, live) = (last.scope(), Live { reasons: last.reasons.clone(), unknown: Vec::new() });
            let (account, region) = (scope.account, Some(scope.region));
            all.push(Going { account, region, asset, name: target.name.clone(), live });
        }
    }
    all
}

/// What was last told of an instance, unless that was that it is released.
fn going_on<'a>(told: &'a [Told], asset: &str) -> Option<&'a Told> {
    let instance = asset.strip_prefix("ec2.instance/")?;
    let is_sign = |t: &Told| LIVE.contains(&t.kind.as_str()) || t.kind == "released";
    let about = |t: &&Told| is_sign(t) && t.assets.iter().any(|a| a.instance.as_deref() == Some(instance));
    let last = told.iter().find(about)?;
    LIVE.contains(&last.kind.as_str()).then_some(last)
}

/// Our rules with the user's, for which of them are about exposure.
async fn book(table: &Table) -> Answer<Book> {
    let files = table.rule_files().await?;
    Book::with(&files).or_else(|_| Book::built_in()).map_err(|e| failed("the rules", &e))
}
