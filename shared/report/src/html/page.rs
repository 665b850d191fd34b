//! The report's parts as its template shows them: numbers added up, times in words, tones chosen.

use askama::Template;
use picket_model::{BenchmarkResult, ControlResult, Outcome, Severity, Status};

use super::chart;
use super::words::{age, count, moment, took};
use crate::Report;
use crate::snapshot::{AssetRisk, Episode, FoundCluster, Held};

/// How many assets are listed by risk before the rest is counted.
const MOST_ASSETS: usize = 50;

#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct Page<'a> {
    report: &'a Report,
    policy: String,
    style: &'static str,
    script: &'static str,
    data: String,
    at: String,
    tiles: Vec<Tile>,
    held: Vec<HeldRow<'a>>,
    assets: &'a [AssetRisk],
    more_assets: Option<usize>,
    clusters: Vec<ClusterCard<'a>>,
    benchmarks: Vec<BenchmarkCard<'a>>,
    trend: String,
    times: String,
    episodes: Vec<EpisodeRow<'a>>,
}

struct Tile {
    number: usize,
    says: String,
    tone: &'static str,
    to: &'static str,
}

struct HeldRow<'a> {
    held: &'a Held,
    word: String,
    why_not: String,
    tone: &'static str,
    since: String,
    age: String,
    until: Option<String>,
    command: String,
}

struct ClusterCard<'a> {
    cluster: &'a FoundCluster,
    world: bool,
    open: bool,
    map: String,
    first_seen: String,
    last_seen: String,
}

struct BenchmarkCard<'a> {
    result: &'a BenchmarkResult,
    bar: String,
    words: String,
    sections: Vec<Section<'a>>,
}

struct Section<'a> {
    name: String,
    words: String,
    controls: Vec<ControlRow<'a>>,
}

struct ControlRow<'a> {
    control: &'a ControlResult,
    word: &'static str,
    tone: &'static str,
    assets: String,
}

struct EpisodeRow<'a> {
    episode: &'a Episode,
    at: String,
    took: String,
}

impl<'a> Page<'a> {
    pub(super) fn of(
        report: &'a Report,
        policy: String,
        style: &'static str,
        script: &'static str,
        data: String,
    ) -> Self {
        Self {
            policy,
            style,
            script,
            data,
            at: moment(report.at),
            tiles: tiles(report),
            held: report.held.iter().map(|h| held(h, report)).collect(),
            assets: report.assets.get(..MOST_ASSETS).unwrap_or(&report.assets),
            more_assets: report.assets.len().checked_sub(MOST_ASSETS).filter(|n| *n > 0),
            clusters: report.clusters.iter().map(cluster).collect(),
            benchmarks: report.assessment.benchmarks.iter().map(benchmark).collect(),
            trend: chart::trend(&report.trend),
            times: chart::times(&report.episodes),
            episodes: report.episodes.iter().take(100).map(episode).collect(),
            report,
        }
    }
}

fn tiles(report: &Report) -> Vec<Tile> {
    let open = |s: Severity| {
        let is = |f: &&picket_model::Finding| f.severity == s && f.status(report.at) == Status::Open;
        report.assessment.findings.iter().filter(is).count()
    };
    let alive = report.clusters.iter().filter(|c| !c.gone);
    let world = alive.clone().filter(|c| c.exposure.iter().any(|r| r.world)).count();
    let leaking = report.held.iter().filter(|h| h.verified.starts_with("LEAKING")).count();
    let tone = |n: usize, bad: &'static str| if n == 0 { "good" } else { bad };
    let tile = |number, says: String, tone, to| Tile { number, says, tone, to };
    let held = if leaking > 0 { format!("in quarantine, {leaking} leaking") } else { "in quarantine".to_owned() };
    let (critical, high, unseen) = (open(Severity::Critical), open(Severity::High), report.assessment.unseen.len());
    let clusters = alive.count();
    let found = if world > 0 { format!("clusters, {world} open to the internet") } else { "clusters".to_owned() };
    vec![
        tile(report.held.len(), held, if leaking > 0 { "bad" } else { tone(report.held.len(), "warn") }, "#quarantine"),
        tile(critical, "critical findings open".to_owned(), tone(critical, "bad"), "#findings"),
        tile(high, "high findings open".to_owned(), tone(high, "warn"), "#findings"),
        tile(clusters, found, if world > 0 { "bad" } else { "good" }, "#clusters"),
        tile(unseen, "things could not be seen".to_owned(), tone(unseen, "warn"), "#unseen"),
    ]
}

fn held<'a>(held: &'a Held, report: &Report) -> HeldRow<'a> {
    let (word, why_not) = held.verified.split_once(' ').unwrap_or((held.verified.as_str(), ""));
    let tone = match word {
        "CUT" => "good",
        "PENDING" => "warn",
        _ => "bad",
    };
    HeldRow {
        word: word.to_owned(),
        why_not: why_not.to_owned(),
        tone,
        since: moment(held.since),
        age: age(held.since, report.at),
        until: held.until.map(moment),
        command: format!("picket release {} --reason \"...\" --stack {}", held.case, report.stack),
        held,
    }
}

fn cluster(cluster: &FoundCluster) -> ClusterCard<'_> {
    let world = cluster.exposure.iter().any(|r| r.world);
    ClusterCard {
        world,
        open: world && !cluster.gone,
        map: chart::exposure(&cluster.exposure),
        first_seen: moment(cluster.first_seen),
        last_seen: moment(cluster.last_seen),
        cluster,
    }
}

fn benchmark(result: &BenchmarkResult) -> BenchmarkCard<'_> {
    let words = words(&result.controls);
    let counts = result.counts();
    let of = |word: &str| counts.get(word).copied().unwrap_or(0);
    let parts = [
        ("good", of("pass")),
        ("critical", of("fail")),
        ("unknown", of("unknown")),
        ("off", of("manual") + of("not_applicable")),
    ];
    BenchmarkCard { bar: chart::bar(&parts, &words), words, sections: sections(&result.controls), result }
}

/// In the benchmark's order; what stands in no section is under the benchmark itself.
fn sections(controls: &[ControlResult]) -> Vec<Section<'_>> {
    let mut found: Vec<Section<'_>> = Vec::new();
    for run in controls.chunk_by(|a, b| a.section == b.section) {
        let name = run.first().map(|c| c.section.clone()).filter(|s| !s.is_empty());
        found.push(Section {
            name: name.unwrap_or_else(|| "All controls".to_owned()),
            words: words(run),
            controls: run.iter().map(control).collect(),
        });
    }
    found
}

/// Counts that add up: `12 pass, 3 fail, 1 unknown of 16`.
fn words(controls: &[ControlResult]) -> String {
    let order = ["pass", "fail", "unknown", "manual", "not_applicable"];
    let of = |word: &str| controls.iter().filter(|c| c.outcome.word() == word).count();
    let parts: Vec<String> = order
        .iter()
        .map(|w| (of(w), w.replace('_', " ")))
        .filter(|(n, _)| *n > 0)
        .map(|(n, w)| format!("{n} {w}"))
        .collect();
    format!("{} of {}", parts.join(", "), controls.len())
}

fn control(control: &ControlResult) -> ControlRow<'_> {
    let (word, tone) = match control.outcome {
        Outcome::Pass => ("pass", "good"),
        Outcome::Fail => ("fail", "critical"),
        Outcome::Unknown(_) => ("unknown", "warn"),
        Outcome::Manual(_) => ("manual", "off"),
        Outcome::NotApplicable(_) => ("not applicable", "off"),
    };
    let failing = control.assets.get("fail").copied().unwrap_or(0);
    let total: u32 = control.assets.values().sum();
    let assets = match total {
        0 => String::new(),
        _ if failing > 0 => format!("{failing} of {} fail", count(total as usize, "asset")),
        _ => count(total as usize, "asset"),
    };
    ControlRow { control, word, tone, assets }
}

fn episode(episode: &Episode) -> EpisodeRow<'_> {
    EpisodeRow { at: moment(episode.at), took: episode.took_ms.map(took).unwrap_or_default(), episode }
}
