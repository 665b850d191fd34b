//! A scan for machines: one JSON document, or rows. Both are written while the file is read, place by place.

use std::io::Write;

use picket_model::landscape::{Found, NodeRole, Reach};
use picket_pipeline::scan::{Row, Scanned};
use serde::Serialize;

use super::spool::{Line, Spool};
use super::summary::Summary;
use crate::failure::Failure;

/// The columns of the rows.
const HEAD: [&str; 18] = [
    "kind",
    "account",
    "region",
    "id",
    "name",
    "distribution",
    "version",
    "cluster",
    "role",
    "nodes",
    "open_to_the_world",
    "confidence",
    "owner",
    "type",
    "state",
    "public_ip",
    "launched_at",
    "evidence",
];

/// The document: what it comes to, then the clusters, the instances, and what could not be looked at.
pub(super) fn json(spool: &Spool, summary: &Summary, next: &str, out: &mut impl Write) -> Result<(), Failure> {
    let mut out = Document { out };
    out.text("{\n\"summary\": ")?;
    out.value(summary)?;
    out.text(",\n\"clusters\": [")?;
    out.list(spool, |place| place.survey.clusters.iter().map(|c| serde_json::json!(c)).collect())?;
    out.text("],\n\"suspects\": [")?;
    out.list(spool, |place| {
        let scope = &place.survey.scope;
        place.survey.suspects.iter().map(|s| serde_json::json!({"scope": scope, "suspect": s})).collect()
    })?;
    out.text("],\n\"instances\": [")?;
    out.list(spool, |place| {
        let scope = &place.survey.scope;
        place.instances.iter().map(|i| serde_json::json!({"scope": scope, "instance": i})).collect()
    })?;
    out.text("],\n\"next\": ")?;
    out.value(&next)?;
    out.text("\n}\n")
}

struct Document<'a, W> {
    out: &'a mut W,
}

impl<W: Write> Document<'_, W> {
    fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).or_else(gone_is_fine)
    }

    fn value(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(|e| Failure::usage("writing JSON").because(e))?;
        self.text(&text)
    }

    fn list(&mut self, spool: &Spool, of: impl Fn(&Scanned) -> Vec<serde_json::Value>) -> Result<(), Failure> {
        let mut first = true;
        for line in spool.lines()? {
            let Line::Place(place) = line? else { continue };
            for value in of(&place) {
                self.text(if first { "\n" } else { ",\n" })?;
                self.value(&value)?;
                first = false;
            }
        }
        Ok(())
    }
}

/// Rows for a spreadsheet: clusters and instances in one table.
pub(super) fn csv(spool: &Spool, out: &mut impl Write) -> Result<(), Failure> {
    let wrong = |e: csv::Error| Failure::usage("writing rows").because(e);
    let mut rows = csv::Writer::from_writer(out);
    rows.write_record(HEAD).map_err(wrong)?;
    for line in spool.lines()? {
        let Line::Place(place) = line? else { continue };
        for cluster in &place.survey.clusters {
            rows.write_record(of_cluster(cluster).map(harmless)).map_err(wrong)?;
        }
        for instance in &place.instances {
            rows.write_record(of_instance(&place, instance).map(harmless)).map_err(wrong)?;
        }
    }
    rows.flush().or_else(gone_is_fine)
}

fn of_cluster(cluster: &Found) -> [String; 18] {
    let text = |value: &Option<picket_model::Untrusted>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    let open: Vec<String> = cluster.exposure.iter().filter(|r| r.public).filter_map(world).collect();
    let evidence: Vec<String> = cluster.evidence.iter().take(5).map(|c| format!("{} ({})", c.mark, c.at)).collect();
    [
        "cluster".to_owned(),
        cluster.scope.account.to_string(),
        cluster.scope.region.to_string(),
        cluster.id.clone(),
        text(&cluster.name),
        cluster.distribution.clone(),
        text(&cluster.version),
        cluster.id.clone(),
        String::new(),
        cluster.nodes.len().to_string(),
        open.join("; "),
        cluster.confidence.to_string(),
        text(&cluster.owner),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
        evidence.join("; "),
    ]
}

fn of_instance(place: &Scanned, row: &Row) -> [String; 18] {
    let scope = &place.survey.scope;
    let state = serde_json::to_value(row.state).ok().and_then(|s| s.as_str().map(ToOwned::to_owned));
    [
        "instance".to_owned(),
        scope.account.to_string(),
        scope.region.to_string(),
        row.id.to_string(),
        row.name.to_string(),
        String::new(),
        String::new(),
        row.cluster.clone().unwrap_or_default(),
        row.role.map(|r: NodeRole| r.to_string()).unwrap_or_default(),
        String::new(),
        String::new(),
        row.confidence.to_string(),
        String::new(),
        row.instance_type.to_string(),
        state.unwrap_or_default(),
        row.public_ip.as_ref().map(ToString::to_string).unwrap_or_default(),
        row.launched_at.to_string(),
        String::new(),
    ]
}

/// A door that anybody may come to, in words.
pub(super) fn world(reach: &Reach) -> Option<String> {
    use picket_model::landscape::ReachFrom;
    let ReachFrom::World(range) = &reach.from else { return None };
    Some(format!("{} {} from {range}", reach.door, reach.port))
}

/// A spreadsheet would run what begins so as a formula.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

/// A reader that went away, such as `head`, is no error.
pub(super) fn gone_is_fine(error: std::io::Error) -> Result<(), Failure> {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Failure::usage("writing to standard output").because(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(harmless("=1+1".to_owned()), "'=1+1");
        assert_eq!(harmless("web-1".to_owned()), "web-1");
    }
}
