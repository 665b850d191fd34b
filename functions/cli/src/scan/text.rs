//! A scan for people: what is there, what nobody listed, who can reach it, how we know, and what could not be seen.

use picket_model::landscape::{ControlPlane, Found, NodeRole};
use picket_pipeline::scan::{Row, Scanned};

use super::rows::world;
use super::spool::{Line, Spool};
use super::summary::{Summary, is_listed, is_open};
use crate::failure::Failure;
use crate::show::{Page, Paint, Text, Tone, age};

/// How many instances are listed unless all are asked for.
const WORTH_A_LOOK: usize = 20;
/// How many pieces of evidence of each cluster are shown.
const CLUES: usize = 3;
/// How many clusters are shown with their evidence.
const EXPLAINED: usize = 12;

/// The page.
pub(super) fn page(summary: &Summary, spool: &Spool, all: bool, next: &str, paint: Paint) -> Result<String, Failure> {
    let mut page = Page::new(paint);
    headline(&mut page, summary);
    clusters(&mut page, summary);
    evidence(&mut page, summary);
    instances(&mut page, summary, spool, all)?;
    unseen(&mut page, summary);
    let kept = format!("kept in {}; `--output html`, `csv` and `json` show all of it", spool.path().display());
    page.gap().line(Tone::Dim, kept);
    Ok(page.next(Some(next)).done())
}

fn headline(page: &mut Page, summary: &Summary) {
    let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    let where_ = match summary.accounts {
        1 => format!("account {}", summary.account),
        n => format!("{n} accounts"),
    };
    let found = format!(
        "{} and {} in {where_}, {}",
        count(summary.clusters.len(), "Kubernetes cluster", "Kubernetes clusters"),
        count(summary.instances, "instance", "instances"),
        count(summary.regions, "Region", "Regions"),
    );
    page.line(Tone::Strong, found);
    if summary.unlisted > 0 {
        let (n, verb) = (summary.unlisted, if summary.unlisted == 1 { "is" } else { "are" });
        page.line(
            Tone::Warn,
            format!("{n} of the clusters {verb} on no list of AWS: somebody runs Kubernetes on plain instances"),
        );
    }
    let open = summary.clusters.iter().filter(|c| is_open(c)).count();
    if open > 0 {
        page.line(Tone::Bad, format!("{open} can be reached by anybody on the internet"));
    }
    let took = summary.seconds.map_or_else(|| "not finished; `--resume` goes on".to_owned(), |s| format!("{s} s"));
    page.line(Tone::Dim, format!("{took}, {} reads, nothing was changed", summary.calls));
}

fn clusters(page: &mut Page, summary: &Summary) {
    if summary.clusters.is_empty() {
        return;
    }
    let head = ["CLUSTER", "KIND", "VERSION", "NODES", "OPEN TO THE WORLD", "SURE", "OWNER", "WHERE"];
    let rows = summary.clusters.iter().map(|c| row(c, summary.accounts > 1)).collect();
    page.gap().table(&head, &[3, 5], rows);
}

fn row(cluster: &Found, with_account: bool) -> Vec<Text> {
    let open: Vec<String> = cluster.exposure.iter().filter(|r| r.public).filter_map(world).collect();
    let open = match open.as_slice() {
        [] => "no".into(),
        [one] => Text::toned(Tone::Bad, one.clone()),
        [first, more @ ..] => Text::toned(Tone::Bad, format!("{first}, {} more", more.len())),
    };
    let listed = is_listed(cluster);
    let kind = Text::toned(if listed { Tone::Plain } else { Tone::Warn }, cluster.distribution.clone());
    let place = if with_account { cluster.scope.to_string() } else { cluster.scope.region.to_string() };
    vec![
        Text::toned(Tone::Strong, cluster.name.as_ref().map_or_else(|| cluster.id.clone(), ToString::to_string)),
        kind,
        cluster.version.as_ref().map(ToString::to_string).unwrap_or_default().into(),
        nodes(cluster).into(),
        open,
        sure(cluster.confidence).into(),
        cluster.owner.as_ref().map(|o| last(o.as_str())).unwrap_or_default().into(),
        place.into(),
    ]
}

/// `3+5`: three that run the control plane, five others.
fn nodes(cluster: &Found) -> String {
    let control = cluster.nodes.iter().filter(|n| n.role == NodeRole::ControlPlane).count();
    match control {
        0 => cluster.nodes.len().to_string(),
        n => format!("{n}+{}", cluster.nodes.len() - n),
    }
}

/// Evidence of 60 makes a cluster; twice that leaves no doubt.
fn sure(confidence: u16) -> String {
    match confidence {
        120.. => "certain".to_owned(),
        60.. => "likely".to_owned(),
        _ => "maybe".to_owned(),
    }
}

/// The name at the end of an ARN.
#[must_use]
pub fn last(arn: &str) -> String {
    arn.rsplit(['/', ':']).next().unwrap_or(arn).to_owned()
}

fn evidence(page: &mut Page, summary: &Summary) {
    if summary.clusters.is_empty() {
        return;
    }
    page.gap().line(Tone::Strong, "how we know (60 is strong evidence, 25 medium, 8 weak)");
    for cluster in summary.clusters.iter().take(EXPLAINED) {
        page.line(Tone::Plain, format!("{}  {}", cluster.id, control_plane(cluster)));
        page.indent(true);
        for clue in cluster.evidence.iter().take(CLUES) {
            page.line(Tone::Dim, format!("{:>3}  {}: {}", clue.weight, clue.at, clue.found));
        }
        let more = cluster.evidence.len().saturating_sub(CLUES);
        if more > 0 {
            page.line(Tone::Dim, format!("     and {more} more"));
        }
        page.indent(false);
    }
    let more = summary.clusters.len().saturating_sub(EXPLAINED);
    if more > 0 {
        page.line(Tone::Dim, format!("{more} more clusters; `picket show ID` explains each"));
    }
}

fn control_plane(cluster: &Found) -> &'static str {
    match cluster.control_plane {
        ControlPlane::Managed => "(control plane run by AWS)",
        ControlPlane::Nodes => "(control plane on its own nodes)",
        ControlPlane::Elsewhere => "(control plane elsewhere: another account, Region or cloud)",
        ControlPlane::Unknown => "(control plane not found)",
    }
}

/// Instances that are in no cluster: suspects first, then those with a public address, then the youngest.
fn instances(page: &mut Page, summary: &Summary, spool: &Spool, all: bool) -> Result<(), Failure> {
    let most = if all { usize::MAX } else { WORTH_A_LOOK };
    let (mut kept, mut alone): (Vec<(String, Row)>, usize) = (Vec::new(), 0);
    for line in spool.lines()? {
        let Line::Place(place) = line? else { continue };
        let Scanned { survey, instances, .. } = *place;
        for instance in instances.into_iter().filter(|i| all || i.cluster.is_none()) {
            alone += usize::from(instance.cluster.is_none());
            kept.push((survey.scope.region.to_string(), instance));
        }
        kept.sort_by_key(|(_, i)| {
            (std::cmp::Reverse(i.confidence), i.public_ip.is_none(), std::cmp::Reverse(i.launched_at))
        });
        kept.truncate(most);
    }
    if kept.is_empty() {
        return Ok(());
    }
    page.gap().line(Tone::Strong, format!("{alone} of {} instances are in no cluster", summary.instances));
    let now = summary.at;
    let rows = kept.iter().map(|(region, i)| {
        let speaks = if i.cluster.is_none() && i.confidence > 0 {
            format!("maybe a node ({})", i.confidence)
        } else {
            String::new()
        };
        let cluster = i.cluster.clone().unwrap_or(speaks);
        let public = i.public_ip.as_ref().map(ToString::to_string).unwrap_or_default();
        vec![
            i.id.as_str().into(),
            i.name.as_str().into(),
            i.instance_type.as_str().into(),
            Text::toned(Tone::Warn, public),
            age(now.duration_since(i.launched_at)).into(),
            cluster.into(),
            region.as_str().into(),
        ]
    });
    page.table(&["INSTANCE", "NAME", "TYPE", "PUBLIC ADDRESS", "AGE", "CLUSTER", "WHERE"], &[], rows.collect());
    let more = alone.saturating_sub(kept.len());
    if !all && more > 0 {
        page.line(Tone::Dim, format!("{more} more; `--all` lists them"));
    }
    Ok(())
}

fn unseen(page: &mut Page, summary: &Summary) {
    if summary.unseen.is_empty() {
        page.gap().line(Tone::Good, "nothing was hidden from this scan");
        return;
    }
    page.gap().line(Tone::Warn, "not seen, so not ruled out");
    for blind in &summary.unseen {
        let what: Vec<&str> = blind.what.iter().map(String::as_str).take(4).collect();
        let places: Vec<&str> = blind.places.iter().map(String::as_str).take(3).collect();
        let more = blind.places.len().saturating_sub(places.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        page.line(Tone::Plain, format!("  {} in {}{more}: {}", what.join(", "), places.join(", "), blind.reason));
    }
    page.line(Tone::Dim, "`picket scan --print-policy` prints a policy that lets all of it be seen");
}
