//! How well the fingerprints do on labelled files: precision and recall for each distribution. A file is the user data
//! of one instance, or a saved landscape, of which a label names the instances that must come out as one cluster.

use std::collections::{BTreeMap, BTreeSet};

use picket_model::InstanceId;
use picket_model::landscape::{Found, Survey};
use serde::{Deserialize, Serialize};

use super::catalogue::catalogue;
use super::weigh::{self, Weighed};
use super::{NODE_AT, hits_in_user_data};
use crate::user_data;

/// A line of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Label {
    /// The file, within the folder.
    pub file: String,
    /// The tool that it comes from.
    pub tool: String,
    /// Whether it makes a node.
    pub is_kubernetes: bool,
    /// Why the label may not hold.
    #[serde(default)]
    pub note: Option<String>,
    /// The distribution, where the tool's name does not say which.
    #[serde(default)]
    pub distribution: Option<String>,
    /// Of a landscape: the nodes, which must be one cluster and no others with them.
    #[serde(default)]
    pub instances: Vec<InstanceId>,
    /// Of a landscape: what the cluster must be called.
    #[serde(default)]
    pub cluster: Option<String>,
}

impl Label {
    /// Whether the label holds: a positive one with a remark is a fragment, unless only key material was taken out of
    /// it.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        let harmless = |note: &str| note.is_empty() || note == "PEM material replaced";
        !self.is_kubernetes || self.note.as_deref().is_none_or(harmless)
    }

    /// Whether the file is a landscape, and not the user data of one instance.
    #[must_use]
    pub fn is_of_landscape(&self) -> bool {
        !self.instances.is_empty() || self.cluster.is_some()
    }

    /// The distributions that the tool's name stands for; none where it names none that we know,
    /// and for a decoy.
    #[must_use]
    pub fn means(&self) -> Vec<&'static str> {
        if !self.is_kubernetes {
            return Vec::new();
        }
        let prints = catalogue().distributions.iter();
        if let Some(name) = &self.distribution {
            return prints.filter(|p| p.distribution == *name).map(|p| p.distribution.as_str()).collect();
        }
        let tool = self.tool.to_ascii_lowercase();
        let words: Vec<&str> = tool.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        // A name of several words must be in it as a whole.
        let named = |name: &str| {
            let parts: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
            words.windows(parts.len()).any(|w| w == parts) || words.contains(&name.replace('-', "").as_str())
        };
        let mut meant: Vec<&str> = prints
            .filter(|p| named(&p.distribution) || p.aliases.iter().any(|a| named(a)))
            .flat_map(|p| std::iter::once(p.distribution.as_str()).chain(p.presumes.as_deref()))
            .collect();
        meant.sort_unstable();
        meant.dedup();
        meant
    }
}

/// What was made of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// The file.
    pub file: String,
    /// Its label.
    pub tool: String,
    /// What it is called; none below the confidence of a node.
    pub called: Option<String>,
    /// The confidence.
    pub confidence: u16,
    /// Whether the label is sure.
    pub sure: bool,
    /// Whether it makes a node, by its label.
    pub is_kubernetes: bool,
    /// The distributions that the label means.
    pub means: Vec<String>,
    /// Whether the distribution is one that the label means, and all else that the label says is so.
    pub named_rightly: bool,
    /// The marks that were found.
    pub marks: Vec<String>,
}

/// Judges a landscape that was surveyed, as far as the label speaks of it.
#[must_use]
pub fn judge_survey(label: &Label, survey: &Survey) -> Judged {
    let wanted: BTreeSet<&InstanceId> = label.instances.iter().collect();
    let meant = |c: &&Found| match wanted.is_empty() {
        true => label.cluster.is_some() && c.name.as_ref().map(|n| n.as_str()) == label.cluster.as_deref(),
        false => c.nodes.iter().any(|n| wanted.contains(&n.id)),
    };
    let found: Vec<&Found> = survey.clusters.iter().filter(meant).collect();
    let first = found.first();
    let means = label.means();
    let named = |c: &Found| std::iter::once(&c.distribution).chain(&c.also).any(|d| means.contains(&d.as_str()));
    let called = |c: &Found| label.cluster.is_none() || c.name.as_ref().map(|n| n.as_str()) == label.cluster.as_deref();
    let exactly = |c: &Found| c.nodes.iter().map(|n| &n.id).collect::<BTreeSet<_>>() == wanted;
    let right =
        matches!(found.as_slice(), [only] if named(only) && called(only) && (wanted.is_empty() || exactly(only)));
    Judged {
        file: label.file.clone(),
        tool: label.tool.clone(),
        called: first.map(|c| c.distribution.clone()),
        confidence: first.map_or(0, |c| c.confidence),
        sure: label.is_sure(),
        is_kubernetes: label.is_kubernetes,
        named_rightly: right,
        marks: first.iter().flat_map(|c| &c.evidence).map(|e| e.mark.clone()).collect(),
        means: means.into_iter().map(ToOwned::to_owned).collect(),
    }
}

/// Judges user data alone, as an instance with no tag and no group would be judged.
#[must_use]
pub fn judge(label: &Label, raw: &[u8]) -> Judged {
    let text = String::from_utf8_lossy(raw);
    let decoded =
        if raw.starts_with(&[0x1f, 0x8b]) { user_data::decode_raw(raw.to_vec()) } else { user_data::decode(&text) };
    let hits = hits_in_user_data(&decoded.text);
    let counting = weigh::counting(&hits);
    let weighed = weigh::weigh(&counting);
    let name = |w: &Weighed| catalogue().distributions[w.distribution].distribution.clone();
    let called = weighed.as_ref().filter(|w| w.confidence >= NODE_AT).map(name);
    let meant = label.means();
    let also = weighed.iter().flat_map(|w| &w.also).map(|d| catalogue().distributions[*d].distribution.as_str());
    let right = called.as_deref().is_some_and(|c| meant.contains(&c))
        || (called.is_some() && also.clone().any(|a| meant.contains(&a)));
    Judged {
        file: label.file.clone(),
        tool: label.tool.clone(),
        called,
        confidence: weighed.as_ref().map_or(0, |w| w.confidence),
        sure: label.is_sure(),
        is_kubernetes: label.is_kubernetes,
        named_rightly: right,
        means: meant.into_iter().map(ToOwned::to_owned).collect(),
        marks: hits.iter().map(|h| catalogue().marks[h.mark].name.clone()).collect(),
    }
}

/// A line of the table.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Row {
    /// The tool, or `all`.
    pub tool: String,
    /// Files with a sure label of Kubernetes.
    pub positives: usize,
    /// Of those, how many were called Kubernetes.
    pub found: usize,
    /// Of those, how many were given a distribution that the label means.
    pub named: usize,
    /// Files, whatever their label, that were given one of the distributions that this tool's labels mean.
    pub called: usize,
    /// Of those, how many are labelled so.
    pub called_rightly: usize,
    /// Files with a label of something else.
    pub negatives: usize,
    /// Of those, how many were called Kubernetes.
    pub false_alarms: usize,
    /// Files without a sure label.
    pub unsure: usize,
    /// Of those, how many were called Kubernetes.
    pub unsure_found: usize,
}

impl Row {
    /// Of what was called by this name, the part that is; none where nothing was.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        ratio(self.called_rightly, self.called)
    }

    /// Of what is by its label, the part that was found and called so; none where nothing is.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        ratio(self.named, self.positives)
    }

    fn count(&mut self, judged: &Judged) {
        let found = usize::from(judged.called.is_some());
        match (judged.is_kubernetes, judged.sure) {
            (false, _) => {
                self.negatives += 1;
                self.false_alarms += found;
            }
            (true, true) => {
                self.positives += 1;
                self.found += found;
                self.named += usize::from(judged.named_rightly);
            }
            (true, false) => {
                self.unsure += 1;
                self.unsure_found += found;
            }
        }
    }

    /// Counts a file that was called by one of this row's names.
    fn count_called(&mut self, judged: &Judged) {
        if judged.sure && judged.called.is_some() {
            self.called += 1;
            self.called_rightly += usize::from(judged.is_kubernetes && judged.named_rightly);
        }
    }
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The table, by tool, and a last line for all of them.
#[must_use]
pub fn table(judged: &[Judged]) -> Vec<Row> {
    let mut rows: BTreeMap<&str, (Row, BTreeSet<&str>)> = BTreeMap::new();
    let mut all = Row { tool: "all".to_owned(), ..Row::default() };
    for one in judged {
        all.count(one);
        all.count_called(one);
        let (row, means) = rows.entry(&one.tool).or_default();
        row.tool.clone_from(&one.tool);
        row.count(one);
        means.extend(one.means.iter().map(String::as_str));
    }
    let called = |row: &mut Row, means: &BTreeSet<&str>| {
        let right = |j: &Judged| j.tool == row.tool && j.named_rightly;
        let by_name = |j: &&Judged| right(j) || j.called.as_deref().is_some_and(|c| means.contains(c));
        let these: Vec<&Judged> = judged.iter().filter(by_name).collect();
        these.into_iter().for_each(|j| row.count_called(j));
    };
    let mut rows: Vec<Row> = rows
        .into_values()
        .map(|(mut row, means)| {
            called(&mut row, &means);
            row
        })
        .collect();
    rows.push(all);
    rows
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;

/// The labelled fixtures, where they are there.
#[cfg(test)]
mod fixtures {
    use super::*;

    #[test]
    fn every_labelled_fixture_is_found_and_every_decoy_is_not() {
        let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
        let folder = std::env::var("PICKET_SHARED").unwrap_or_else(|_| beside.to_owned()) + "/events/userdata";
        let Ok(manifest) = std::fs::read_to_string(format!("{folder}/MANIFEST.jsonl")) else { return };
        let labels = manifest.lines().filter_map(|l| serde_json::from_str::<Label>(l).ok());
        let judged: Vec<_> =
            labels.map(|l| judge(&l, &std::fs::read(format!("{folder}/{}", l.file)).unwrap_or_default())).collect();
        let all = table(&judged).pop().unwrap();
        assert!(all.positives > 100 && all.negatives > 0, "{all:?}");
        let wrong: Vec<_> = judged.iter().filter(|j| j.sure && (j.called.is_some() != j.is_kubernetes)).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        let misnamed: Vec<_> = judged.iter().filter(|j| j.sure && j.is_kubernetes && !j.named_rightly).collect();
        assert!(misnamed.is_empty(), "{misnamed:#?}");
    }
}
