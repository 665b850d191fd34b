//! `picket show ID`: all that is known of one cluster or instance, with the evidence.

use futures::future::try_join_all;
use picket_aws::state::Known;
use picket_model::landscape::{Clue, Found, ReachFrom};
use picket_model::{Asset, InstanceId, NodeOf};
use picket_pipeline::scan::atlas::Changed;
use picket_pipeline::scan::{Kept, Row};
use serde::Serialize;

use super::{Source, open};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::scan::Line;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone};

/// What `picket show` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket show kops/k.example.com
  picket show prod                       a cluster by its name
  picket show i-0abc1234def567890 --output json")]
pub struct Args {
    /// A cluster, by id or name, or an instance
    #[arg(value_name = "ID")]
    pub id: String,
}

/// What is known.
#[derive(Debug, Serialize)]
struct Shown {
    clusters: Vec<Kept>,
    instance: Option<Machine>,
    next: Option<String>,
}

/// An instance.
#[derive(Debug, Default, Serialize)]
struct Machine {
    place: String,
    asset: Option<Asset>,
    row: Option<Row>,
    node_of: Option<NodeOf>,
    first_seen: String,
    last_seen: String,
    found_by: String,
    gone_at: Option<String>,
    history: Vec<Changed>,
    /// What speaks for its being a node.
    evidence: Vec<Clue>,
}

/// Shows it.
///
/// # Errors
/// If AWS cannot be reached; with `Found` if nothing of that name is known.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (_, _, source) = open(session).await?;
    let id = InstanceId::parse(args.id.as_str()).ok();
    let all = session.show.wait("reading the clusters", source.clusters()).await?;
    let is_it = |kept: &Kept| match &id {
        Some(id) => kept.found.nodes.iter().any(|n| &n.id == id) || kept.found.bastions.contains(id),
        None => kept.found.id == args.id || kept.found.name.as_ref().is_some_and(|n| n.as_str() == args.id),
    };
    let clusters: Vec<Kept> = all.into_iter().filter(is_it).collect();
    let mut instance = match &id {
        Some(id) => session.show.wait("reading the instance", machine(&source, id)).await?,
        None => None,
    };
    if clusters.is_empty() && instance.is_none() {
        let unknown = Failure::refused(format!("nothing is known of `{}`", args.id));
        return Err(unknown.hint(format!("`{}` lists the clusters", session.command("clusters"))));
    }
    if let (Some(machine), Some(id)) = (&mut instance, &id) {
        let own = clusters.iter().flat_map(|c| &c.found.nodes).filter(|n| &n.id == id);
        machine.evidence = own.flat_map(|n| n.evidence.clone()).collect();
    }
    let next = match (&id, clusters.first()) {
        (Some(id), _) => Some(session.command(format!("quarantine {id} --reason \"...\""))),
        (None, Some(kept)) => kept.found.nodes.first().map(|n| session.command(format!("show {}", n.id))),
        (None, None) => None,
    };
    session.show.answer(&Shown { clusters, instance, next })?;
    Ok(Exit::Done)
}

/// Looks for an instance in every place that is known.
async fn machine(source: &Source, id: &InstanceId) -> Result<Option<Machine>, Failure> {
    match source {
        Source::Inventory(table, _) => {
            let scopes = source.scopes();
            let found = try_join_all(scopes.iter().map(|scope| table.asset(scope, id.as_str()))).await?;
            let places = scopes.iter().zip(found);
            Ok(places.into_iter().find_map(|(scope, known)| Some(of_known(scope.to_string(), known?))))
        }
        Source::Scan(spool) => {
            for line in spool.lines()? {
                let Line::Place(place) = line? else { continue };
                if let Some(row) = place.instances.iter().find(|row| &row.id == id) {
                    let at = place.at.to_string();
                    return Ok(Some(Machine {
                        place: place.survey.scope.to_string(),
                        row: Some(row.clone()),
                        first_seen: at.clone(),
                        last_seen: at,
                        found_by: "picket scan".to_owned(),
                        ..Machine::default()
                    }));
                }
            }
            Ok(None)
        }
    }
}

fn of_known(place: String, known: Known) -> Machine {
    Machine {
        place,
        asset: Some(known.asset),
        node_of: known.node_of,
        first_seen: known.first_seen,
        last_seen: known.last_seen,
        found_by: known.found_by,
        gone_at: known.gone_at,
        history: known.history,
        ..Machine::default()
    }
}

impl Reply for Shown {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        if let Some(machine) = &self.instance {
            instance(&mut page, machine);
        }
        for kept in &self.clusters {
            page.gap();
            cluster(&mut page, kept, self.instance.is_some());
        }
        page.next(self.next.as_deref()).done()
    }
}

fn instance(page: &mut Page, machine: &Machine) {
    if let Some(Asset::Instance(i)) = &machine.asset {
        page.line(Tone::Strong, format!("instance {} {}", i.id, i.name));
        page.field("type", i.instance_type.as_str()).field("image", i.image.as_str());
        page.field("launched", i.launched_at.to_string());
        page.field("profile", i.profile.as_ref().map_or("none", |p| p.as_str()));
        page.field("groups", i.groups().iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
        page.field("public", i.public_ip().map_or("no address", |ip| ip.as_str()));
        let tags: Vec<String> = i.tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
        page.field("tags", tags.join(", "));
    } else if let Some(row) = &machine.row {
        page.line(Tone::Strong, format!("instance {} {}", row.id, row.name));
        page.field("type", row.instance_type.as_str()).field("image", row.image.as_str());
        page.field("launched", row.launched_at.to_string());
        page.field("public", row.public_ip.as_ref().map_or("no address", |ip| ip.as_str()));
    }
    page.field("where", machine.place.as_str());
    page.field("seen", format!("{} to {}, found by {}", machine.first_seen, machine.last_seen, machine.found_by));
    if let Some(gone) = &machine.gone_at {
        page.field("gone", Text::toned(Tone::Warn, gone.as_str()));
    }
    if let Some(node) = &machine.node_of {
        page.field("node of", format!("{} ({})", node.distribution, node.confidence));
    }
    clues(page, "because", &machine.evidence);
    changes(page, &machine.history);
}

fn cluster(page: &mut Page, kept: &Kept, briefly: bool) {
    let found = &kept.found;
    page.line(Tone::Strong, format!("cluster {} in {}", found.id, found.scope));
    page.field("kind", kind(found));
    page.field("owner", found.owner.as_ref().map_or("not known", |o| o.as_str()));
    let minute = |at: jiff::Timestamp| at.strftime("%Y-%m-%d %H:%M").to_string();
    let seen = format!("{} to {}, found by {}", minute(kept.first_seen), minute(kept.last_seen), kept.found_by);
    page.field("seen", seen);
    if let Some(gone) = kept.gone_at {
        page.field("gone", Text::toned(Tone::Warn, gone.to_string()));
    }
    if briefly {
        return;
    }
    clues(page, "because", &found.evidence);
    for (n, why) in found.joined_by.iter().enumerate() {
        page.field(if n == 0 { "joined by" } else { "" }, why.as_str());
    }
    changes(page, &kept.history);
    if !found.exposure.is_empty() {
        page.gap().table(&["DOOR", "PORT", "WHO MAY COME", "BY", "PUBLIC"], &[1], doors(found));
    }
    if !found.anonymous.is_empty() {
        let row = |a: &picket_model::landscape::Anonymous| -> Vec<Text> {
            let answer = format!("answered {} without credentials", a.path);
            vec![
                a.door.to_string().into(),
                a.port.to_string().into(),
                a.instance.as_str().into(),
                Text::toned(Tone::Bad, answer),
            ]
        };
        page.gap().table(&["DOOR", "PORT", "NODE", "PROBE"], &[1], found.anonymous.iter().map(row).collect());
    }
    if !found.nodes.is_empty() {
        let row = |n: &picket_model::landscape::Node| -> Vec<Text> {
            let first = n.evidence.first().map(|c| format!("{}: {}", c.at, c.found)).unwrap_or_default();
            vec![n.id.as_str().into(), n.role.to_string().into(), n.confidence.to_string().into(), first.into()]
        };
        page.gap().table(&["NODE", "ROLE", "WEIGHT", "BECAUSE"], &[2], found.nodes.iter().map(row).collect());
    }
}

fn kind(found: &Found) -> String {
    let version = found.version.as_ref().map(|v| format!(" {v}")).unwrap_or_default();
    let also = if found.also.is_empty() { String::new() } else { format!(", with {}", found.also.join(", ")) };
    format!("{}{version}{also}; the evidence weighs {}, 60 is enough", found.distribution, found.confidence)
}

fn doors(found: &Found) -> Vec<Vec<Text>> {
    let who = |from: &ReachFrom| match from {
        ReachFrom::World(range) => Text::toned(Tone::Bad, format!("anybody ({range})")),
        ReachFrom::Net(range) => range.clone().into(),
        ReachFrom::Cluster(group) => format!("its own {group}").into(),
        ReachFrom::Group(group) => group.to_string().into(),
        ReachFrom::PrefixList(list) => list.to_string().into(),
    };
    let row = |r: &picket_model::landscape::Reach| {
        let public = if r.public { "yes" } else { "no" };
        vec![r.door.to_string().into(), r.port.to_string().into(), who(&r.from), r.by.to_string().into(), public.into()]
    };
    found.exposure.iter().map(row).collect()
}

fn clues(page: &mut Page, label: &str, clues: &[Clue]) {
    for (n, clue) in clues.iter().enumerate() {
        page.field(if n == 0 { label } else { "" }, format!("{:>3}  {}: {}", clue.weight, clue.at, clue.found));
    }
}

fn changes(page: &mut Page, history: &[Changed]) {
    for (n, c) in history.iter().rev().take(10).enumerate() {
        let text = format!("{}  {}: {} -> {}", c.at.strftime("%Y-%m-%d %H:%M"), c.what, brief(&c.from), brief(&c.to));
        page.field(if n == 0 { "changed" } else { "" }, text);
    }
}

/// A value in one short line; `--output json` has all of it.
pub(super) fn brief(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None if text.is_empty() => "nothing".to_owned(),
        None => text.to_owned(),
    }
}
