//! `picket fingerprint evaluate`: precision and recall on a folder of labelled user data and saved landscapes.

use std::collections::HashMap;
use std::path::{Component, Path};

use picket_checks::fingerprints::evaluate::{Judged, Label, Row, judge, judge_survey, table};
use picket_checks::survey::survey;
use picket_model::landscape::{Saved, Survey};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone};

/// What the folder came to.
#[derive(Debug, Serialize)]
struct Evaluated {
    folder: String,
    rows: Vec<Measured>,
    wrong: Vec<Judged>,
    misnamed: Vec<Judged>,
    unsure_missed: Vec<Judged>,
    files: Vec<Judged>,
}

#[derive(Debug, Serialize)]
struct Measured {
    #[serde(flatten)]
    row: Row,
    precision: Option<f64>,
    recall: Option<f64>,
}

/// Judges every file of the manifest.
///
/// # Errors
/// If the manifest or a file of it cannot be read.
pub(super) fn run(dir: &Path, session: &Session) -> Result<Exit, Failure> {
    let labels = labels(dir)?;
    let mut judged = Vec::with_capacity(labels.len());
    let mut surveys: HashMap<&str, Survey> = HashMap::new();
    for label in &labels {
        let file = label.file.as_str();
        if label.is_of_landscape() && !surveys.contains_key(file) {
            surveys.insert(file, surveyed(dir, file)?);
        }
        judged.push(match surveys.get(file) {
            Some(survey) => judge_survey(label, survey),
            None => judge(label, &content(dir, file)?),
        });
    }
    let sure = |j: &&Judged| j.sure;
    let measured = |row: Row| Measured { precision: row.precision(), recall: row.recall(), row };
    let evaluated = Evaluated {
        folder: dir.display().to_string(),
        rows: table(&judged).into_iter().map(measured).collect(),
        wrong: judged.iter().filter(sure).filter(|j| j.called.is_some() != j.is_kubernetes).cloned().collect(),
        misnamed: judged
            .iter()
            .filter(sure)
            .filter(|j| j.called.is_some() && j.is_kubernetes && !j.named_rightly)
            .cloned()
            .collect(),
        unsure_missed: judged.iter().filter(|j| !j.sure && j.called.is_none()).cloned().collect(),
        files: judged,
    };
    session.show.answer(&evaluated)?;
    let right = evaluated.wrong.is_empty() && evaluated.misnamed.is_empty();
    Ok(if right { Exit::Done } else { Exit::Found })
}

/// What is made of a landscape that `picket scan --save` wrote.
fn surveyed(dir: &Path, file: &str) -> Result<Survey, Failure> {
    let saved: Saved = serde_json::from_slice(&content(dir, file)?).map_err(|e| {
        let hint = "a label with `instances` or `cluster` is about a file of `picket scan --save`";
        Failure::usage(format!("reading the landscape `{}`", dir.join(file).display())).because(e).hint(hint)
    })?;
    Ok(survey(saved.into()))
}

/// The labels; lines that name no file describe the set.
fn labels(dir: &Path) -> Result<Vec<Label>, Failure> {
    let path = dir.join("MANIFEST.jsonl");
    let doing = || format!("reading the manifest `{}`", path.display());
    let text = std::fs::read_to_string(&path).map_err(|e| Failure::usage(doing()).because(e))?;
    let mut labels = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let value: serde_json::Value = serde_json::from_str(line)
            .map_err(|e| Failure::usage(format!("{}, line {}", doing(), n + 1)).because(e))?;
        if value.get("file").is_some() {
            let label = serde_json::from_value(value);
            labels.push(label.map_err(|e| Failure::usage(format!("{}, line {}", doing(), n + 1)).because(e))?);
        }
    }
    Ok(labels)
}

/// A file of the folder; what leads out of it is refused.
fn content(dir: &Path, file: &str) -> Result<Vec<u8>, Failure> {
    let inside = Path::new(file).components().all(|c| matches!(c, Component::Normal(_)));
    if !inside {
        return Err(Failure::usage(format!("the manifest names `{file}`, which is not within the folder")));
    }
    let path = dir.join(file);
    std::fs::read(&path).map_err(|e| Failure::usage(format!("reading `{}`", path.display())).because(e))
}

fn percent(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |r| format!("{r:.3}"))
}

impl Reply for Evaluated {
    fn text(&self, paint: Paint) -> String {
        let row = |m: &Measured| -> Vec<Text> {
            let number = |n: usize| Text::from(n.to_string());
            let alarms = if m.row.false_alarms > 0 { Tone::Bad } else { Tone::Plain };
            vec![
                m.row.tool.as_str().into(),
                number(m.row.positives),
                number(m.row.found),
                number(m.row.named),
                number(m.row.negatives),
                Text::toned(alarms, m.row.false_alarms.to_string()),
                percent(m.precision).into(),
                percent(m.recall).into(),
                format!("{} of {}", m.row.unsure_found, m.row.unsure).into(),
            ]
        };
        let head = ["TOOL", "KUBERNETES", "FOUND", "NAMED", "OTHER", "FALSE", "PRECISION", "RECALL", "UNSURE, FOUND"];
        let mut page = Page::new(paint);
        page.table(&head, &[1, 2, 3, 4, 5, 6, 7], self.rows.iter().map(row).collect());
        for (tone, title, files) in [
            (Tone::Bad, "judged wrongly", &self.wrong),
            (Tone::Bad, "found, but called something else, or not as one", &self.misnamed),
            (Tone::Dim, "not found, and the label is not sure", &self.unsure_missed),
        ] {
            if !files.is_empty() {
                page.gap().line(tone, title);
                let row = |j: &Judged| -> Vec<Text> {
                    let called = j.called.clone().unwrap_or_else(|| format!("nothing ({})", j.confidence));
                    vec![j.file.as_str().into(), called.into(), j.marks.join(", ").into()]
                };
                page.table(&["FILE", "CALLED", "MARKS"], &[], files.iter().map(row).collect());
            }
        }
        page.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_that_leads_out_of_its_folder_is_refused() {
        for file in ["../secret", "/etc/passwd", "a/../../b"] {
            assert!(content(Path::new("."), file).is_err(), "{file}");
        }
    }
}
