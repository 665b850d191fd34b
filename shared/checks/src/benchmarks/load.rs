//! Reads benchmarks and holds them to the rules that there are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::{Benchmark, By, Control};
use crate::rules::span::Text;
use crate::rules::{Catalogue, Refused, catalogue, embedded, refused};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBenchmark {
    benchmark: Text,
    name: String,
    version: Text,
    #[serde(default)]
    sections: BTreeMap<String, String>,
    controls: Vec<RawControl>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawControl {
    id: Text,
    #[serde(default)]
    level: u8,
    title: Text,
    rules: Option<Vec<Text>>,
    manual: Option<Text>,
    not_applicable: Option<Text>,
    pending: Option<Text>,
}

/// Benchmarks by id.
#[derive(Debug, Clone, Default)]
pub struct Benchmarks {
    all: BTreeMap<String, Benchmark>,
    by_rule: BTreeMap<String, Vec<String>>,
}

static BUILT_IN: LazyLock<Result<Benchmarks, Refused>> = LazyLock::new(|| {
    let mut benchmarks = Benchmarks::default();
    benchmarks.read(embedded::BENCHMARKS.iter().copied(), catalogue::built_in()?)?;
    Ok(benchmarks)
});

/// The benchmarks that are built in.
///
/// # Errors
/// If one cannot be used; a test makes sure that none is.
pub fn built_in() -> Result<&'static Benchmarks, Refused> {
    BUILT_IN.as_ref().map_err(Clone::clone)
}

impl Benchmarks {
    /// Reads benchmarks from texts named `<id>.yaml`.
    ///
    /// # Errors
    /// At the first that is malformed, that names a rule that does not exist, or that leaves a control undecided
    /// without a reason.
    pub fn read<'a>(
        &mut self,
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
        rules: &Catalogue,
    ) -> Result<(), Refused> {
        for (file, text) in files {
            let benchmark = one(file, text, rules)?;
            for control in &benchmark.controls {
                let By::Rules(names) = &control.by else { continue };
                for name in names {
                    let of = self.by_rule.entry(name.clone()).or_default();
                    of.push(format!("{}/{}", benchmark.id, control.id));
                }
            }
            self.all.insert(benchmark.id.clone(), benchmark);
        }
        Ok(())
    }

    /// The benchmark of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Benchmark> {
        self.all.get(id)
    }

    /// All benchmarks, alphabetical.
    pub fn iter(&self) -> impl Iterator<Item = &Benchmark> {
        self.all.values()
    }

    /// The controls that a rule decides, such as `cis-eks-1.8.0/2.1.1`.
    #[must_use]
    pub fn controls_of(&self, rule: &str) -> &[String] {
        self.by_rule.get(rule).map_or(&[], Vec::as_slice)
    }
}

fn one(file: &str, text: &str, rules: &Catalogue) -> Result<Benchmark, Refused> {
    let raw: RawBenchmark = refused::parse(text, file)?;
    let id = raw.benchmark.text.clone();
    if file.rsplit('/').next().unwrap_or(file).trim_end_matches(".yaml") != id {
        return Err(raw.benchmark.refuse(file, format!("the benchmark `{id}` belongs into its own file")));
    }
    if raw.controls.is_empty() {
        return Err(raw.benchmark.refuse(file, "a benchmark of no controls"));
    }
    let mut seen = BTreeSet::new();
    let mut controls = Vec::new();
    for control in &raw.controls {
        if !seen.insert(control.id.text.clone()) {
            return Err(control.id.refuse(file, format!("control `{}` is there twice", control.id.text)));
        }
        if control.title.text.trim().is_empty() {
            return Err(control.title.refuse(file, "a control says what it asks for"));
        }
        let by = decided(file, control, rules)?;
        controls.push(Control {
            id: control.id.text.clone(),
            level: control.level,
            title: control.title.text.clone(),
            by,
        });
    }
    Ok(Benchmark { id, name: raw.name, version: raw.version.text, sections: raw.sections, controls })
}

fn decided(file: &str, control: &RawControl, rules: &Catalogue) -> Result<By, Refused> {
    let refuse = |reason: &str| Err(control.id.refuse(file, format!("control `{}`: {reason}", control.id.text)));
    let reasons = [
        control.manual.as_ref().map(|t| (t, By::Person(t.text.clone()))),
        control.not_applicable.as_ref().map(|t| (t, By::NotApplicable(t.text.clone()))),
        control.pending.as_ref().map(|t| (t, By::Pending(t.text.clone()))),
    ];
    let mut reasons = reasons.into_iter().flatten();
    match (&control.rules, reasons.next(), reasons.next()) {
        (Some(names), None, None) if !names.is_empty() => {
            if let Some(name) = names.iter().find(|n| rules.get(&n.text).is_none()) {
                return Err(name.refuse(file, format!("`{}` is no rule", name.text)));
            }
            Ok(By::Rules(names.iter().map(|n| n.text.clone()).collect()))
        }
        (None, Some((text, by)), None) if !text.text.trim().is_empty() => Ok(by),
        (None, Some(_), None) => refuse("the reason says nothing"),
        (None, None, _) | (Some(_), None, _) => refuse("needs rules, or a reason: manual, not_applicable, pending"),
        _ => refuse("has one of rules, manual, not_applicable, pending"),
    }
}
