//! `picket doctor`: whether what happens can reach Picket: trails, rules, queues, Regions, and a canary the whole way.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use picket_aws::Watch;
use picket_aws::checkup::{Canary, Checkup, Finding, Health};
use picket_model::{Region, Scope};
use picket_pipeline::scan::Looked;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{Aws, Session};
use crate::show::{Page, Paint, Reply, Text, Tone, age};

/// How long the canary may take; most need a second or two.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long ago the last look at a place may be: the sweep runs every hour at the least.
const STALE: SignedDuration = SignedDuration::from_hours(2);

/// What `picket doctor` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket doctor
  picket doctor --regions us-east-1,eu-west-1
  picket doctor --no-canary               only look, send nothing

It sends one event of its own, the canary, which changes nothing. It ends with 1 if something is ill.")]
pub struct Args {
    /// Only these Regions, with commas between them
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    pub regions: Vec<Region>,
    /// Do not send the canary
    #[arg(long)]
    pub no_canary: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    scope: Scope,
    findings: Vec<Finding>,
    next: Option<String>,
}

/// Looks.
///
/// # Errors
/// If AWS cannot be reached.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (aws, caller) = session.known().await?;
    let scope = aws.scope(&caller);
    let elsewhere = if args.regions.is_empty() { enabled(session, &scope).await? } else { args.regions.clone() };
    let checkup = Checkup { clients: &aws.clients, stack: &session.stack, home: &scope };
    let mut findings = session.show.wait("looking at trails, rules and queues", checkup.look(&elsewhere)).await;
    findings.push(session.show.wait("looking at the last sweep", sweep(&aws, &scope)).await);
    if !args.no_canary {
        findings.push(session.show.wait("waiting for the canary", canary(&aws, &scope)).await);
    }
    let ill = findings.iter().any(|f| f.health == Health::Ill);
    let next = findings.iter().find(|f| f.health == Health::Ill).and_then(|f| f.mend.clone());
    session.show.answer(&Report { scope, findings, next })?;
    Ok(if ill { Exit::Found } else { Exit::Done })
}

async fn enabled(session: &Session, home: &Scope) -> Result<Vec<Region>, Failure> {
    let watch = Watch::new(&session.aws().await?.clients);
    Ok(session.show.wait("listing the Regions", watch.regions(&home.region)).await?)
}

fn finding(what: &str, region: &Region, health: Health, says: String, mend: Option<&str>) -> Finding {
    Finding { what: what.to_owned(), region: region.clone(), health, says, mend: mend.map(ToOwned::to_owned) }
}

/// When the sweep looked last.
async fn sweep(aws: &Aws, home: &Scope) -> Finding {
    let (what, region) = ("the sweep", &home.region);
    let places = match aws.table().places().await {
        Ok(places) => places,
        Err(error) => return finding(what, region, Health::Unknown, format!("not known: {error}"), None),
    };
    let now = Timestamp::now();
    let mend = Some("look at the log of the sweep, and at its dead-letter queue");
    let last = places.iter().map(|place: &Looked| place.at).max();
    match last.map(|at| now.duration_since(at)) {
        None => finding(what, region, Health::Ill, "it has looked nowhere yet".to_owned(), mend),
        Some(ago) if ago > STALE => {
            finding(what, region, Health::Ill, format!("it looked last {} ago", age(ago)), mend)
        }
        Some(ago) => {
            let blind = places.iter().filter(|p| !p.unseen.is_empty()).count();
            let says = format!("it looked at {} places, last {} ago", places.len(), age(ago));
            match blind {
                0 => finding(what, region, Health::Well, says, None),
                n => {
                    let says = format!("{says}; in {n} of them it could not see everything");
                    finding(what, region, Health::Weak, says, Some("`picket scan` says what is missing"))
                }
            }
        }
    }
}

/// Lets a canary go and waits for its mark.
async fn canary(aws: &Aws, home: &Scope) -> Finding {
    let (what, region) = ("the canary", &home.region);
    let (table, begun) = (aws.table(), Instant::now());
    let canary = Canary { clients: &aws.clients, table: &table, home };
    let name = match canary.send(Timestamp::now()).await {
        Ok(name) => name,
        Err(error) => return finding(what, region, Health::Unknown, format!("it could not be sent: {error}"), None),
    };
    while begun.elapsed() < PATIENCE {
        match canary.arrived(&name).await {
            Ok(true) => {
                let says =
                    format!("it went from the bus through queue and function in {} ms", begun.elapsed().as_millis());
                return finding(what, region, Health::Well, says, None);
            }
            Ok(false) => tokio::time::sleep(Duration::from_millis(250)).await,
            Err(error) => return finding(what, region, Health::Unknown, format!("not known: {error}"), None),
        }
    }
    let says = format!("it did not arrive within {} s: no event does", PATIENCE.as_secs());
    finding(what, region, Health::Ill, says, Some("look at the rules, the triggers queue and the log of discover"))
}

impl Reply for Report {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        let count = |health| self.findings.iter().filter(|f| f.health == health).count();
        let (ill, weak) = (count(Health::Ill), count(Health::Weak) + count(Health::Unknown));
        match (ill, weak) {
            (0, 0) => page.line(Tone::Good, "all is well: what happens here reaches Picket"),
            (0, n) => page.line(Tone::Warn, format!("events arrive; {n} things could be better")),
            (n, _) => page.line(Tone::Bad, format!("{n} things are ill: something will be missed")),
        };
        let row = |f: &Finding| -> Vec<Text> {
            let (tone, word) = match f.health {
                Health::Well => (Tone::Good, "well"),
                Health::Weak => (Tone::Warn, "weak"),
                Health::Ill => (Tone::Bad, "ILL"),
                Health::Unknown => (Tone::Warn, "unknown"),
            };
            let mend = f.mend.clone().unwrap_or_default();
            vec![
                Text::toned(tone, word),
                f.what.clone().into(),
                f.region.as_str().into(),
                f.says.clone().into(),
                mend.into(),
            ]
        };
        let rows = self.findings.iter().map(row).collect();
        page.gap().table(&["", "WHAT", "WHERE", "SAYS", "MEND"], &[], rows);
        page.next(self.next.as_deref()).done()
    }
}
