//! All fingerprints and decoys, parsed once and compiled when a place is first looked at. To add a distribution: its
//! file in `fingerprints/` and its line in `files.rs`.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use picket_model::landscape::{NamedKind, NodeRole};
use regex::bytes::{Regex, RegexSet, RegexSetBuilder};

use super::files::{DECOYS, FILES};
use super::schema::{
    ActionMark, Decoy, Fingerprint, ImageMark, Marks, PortMark, ProbeMark, RoleIn, TagMark, Text, TextMark, Weight,
};

/// Whose mark it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A distribution's, by its place in the list.
    Distribution(usize),
    /// A decoy's.
    Decoy(usize),
}

/// Where a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// User data.
    UserData,
    /// The `Name` of an instance.
    Name,
    /// A key pair.
    Key,
    /// A role or an instance profile.
    Role,
    /// An attached policy.
    Policy,
    /// An Auto Scaling group.
    ScalingGroup,
    /// A launch template.
    Template,
    /// A security group's name.
    GroupName,
    /// A security group's description.
    GroupDescription,
    /// A rule's description.
    RuleDescription,
    /// An interface's description.
    Interface,
    /// A load balancer's name.
    Balancer,
    /// An installed application.
    Application,
    /// A user agent.
    Agent,
    /// A service that calls on behalf of others.
    InvokedBy,
    /// An OIDC provider.
    Oidc,
    /// An operator of managed instances.
    Operator,
    /// A thing told by its name.
    Thing(NamedKind),
}

/// A mark, wherever it is read.
#[derive(Debug)]
pub struct Mark {
    /// `<distribution>/<name>`.
    pub name: String,
    /// Whose.
    pub owner: Owner,
    /// What it is worth.
    pub weight: Weight,
    /// The role that it tells.
    pub role: Option<NodeRole>,
    /// Whether it is a tag, whose names are those that the tool was given.
    pub is_tag: bool,
}

/// A pattern of a mark.
#[derive(Debug)]
pub struct Pattern {
    /// Index into `Catalogue::marks`.
    pub mark: usize,
    text: Text,
    compiled: OnceLock<Option<Regex>>,
    /// A text that holds this is not meant.
    pub except: Option<Regex>,
    /// What one of the values of a thing must be as well.
    pub values: Option<Regex>,
}

impl Pattern {
    fn new(mark: usize, text: &Text) -> Self {
        Self { mark, text: text.clone(), compiled: OnceLock::new(), except: None, values: None }
    }

    /// The pattern, compiled; none if it is broken, which a test excludes.
    pub fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| self.text.compile().ok()).as_ref()
    }
}

/// The patterns of one place, to be looked for in one pass.
#[derive(Debug, Default)]
pub struct Patterns {
    set: OnceLock<Option<RegexSet>>,
    /// In the order of the set.
    pub all: Vec<Pattern>,
}

impl Patterns {
    /// The patterns that are in `text`.
    pub fn within<'a>(&'a self, text: &[u8]) -> Vec<&'a Pattern> {
        let set = self.set.get_or_init(|| {
            let texts = self.all.iter().map(|p| p.text.0.as_str());
            RegexSetBuilder::new(texts).multi_line(true).unicode(false).size_limit(16 << 20).build().ok()
        });
        let Some(set) = set else { return Vec::new() };
        set.matches(text).into_iter().filter_map(|n| self.all.get(n)).collect()
    }
}

/// A mark of another kind than text.
#[derive(Debug)]
pub struct Of<T: 'static> {
    /// Index into `Catalogue::marks`.
    pub mark: usize,
    /// What the file says.
    pub says: &'static T,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// The distributions, alphabetical.
    pub distributions: Vec<&'static Fingerprint>,
    /// The decoys, alphabetical.
    pub decoys: Vec<&'static Decoy>,
    /// Every mark.
    pub marks: Vec<Mark>,
    /// Patterns by place.
    pub texts: HashMap<Place, Patterns>,
    /// Tags.
    pub tags: Vec<Of<TagMark>>,
    /// Port sets.
    pub ports: Vec<Of<PortMark>>,
    /// Sets of actions.
    pub actions: Vec<Of<ActionMark>>,
    /// Answers to probes.
    pub probes: Vec<(Of<ProbeMark>, Option<Pattern>, Option<Pattern>)>,
    /// Images.
    pub images: Vec<(Of<ImageMark>, Pattern)>,
    by_name: HashMap<String, usize>,
}

type Files = (Vec<Fingerprint>, Vec<Decoy>);

static PARSED: LazyLock<Files> = LazyLock::new(|| parse().unwrap_or_default());
static ALL: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::of(&PARSED));

/// The catalogue.
#[must_use]
pub fn catalogue() -> &'static Catalogue {
    &ALL
}

/// Reads all files.
///
/// # Errors
/// Names the file, line and column that is wrong.
pub(super) fn parse() -> Result<Files, String> {
    let distributions: Result<_, String> = FILES.iter().map(|(name, text)| parse_one(name, text)).collect();
    let decoys: Result<_, String> = DECOYS.iter().map(|(name, text)| parse_one(name, text)).collect();
    Ok((distributions?, decoys?))
}

/// Reads one file.
///
/// # Errors
/// Names the file, line and column that is wrong.
pub(super) fn parse_one<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T, String> {
    serde_saphyr::from_str(text).map_err(|error| {
        let at = error.location();
        let (line, column) = (at.as_ref().map_or(0, |l| l.line()), at.as_ref().map_or(0, |l| l.column()));
        format!("{name}.yaml:{line}:{column}: {}", error.to_string().lines().next().unwrap_or_default())
    })
}

impl Catalogue {
    fn of(files: &'static Files) -> Self {
        let mut all = Self::default();
        for (n, print) in files.0.iter().enumerate() {
            all.distributions.push(print);
            all.take(Owner::Distribution(n), &print.distribution, &print.marks);
        }
        for (n, decoy) in files.1.iter().enumerate() {
            all.decoys.push(decoy);
            all.take(Owner::Decoy(n), &decoy.decoy, &decoy.marks);
        }
        all.by_name = all.marks.iter().enumerate().map(|(n, m)| (m.name.clone(), n)).collect();
        all
    }

    /// The mark of this name, `<distribution>/<mark>`.
    #[must_use]
    pub fn mark(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The distribution of this name.
    #[must_use]
    pub fn distribution(&self, name: &str) -> Option<usize> {
        self.distributions.iter().position(|d| d.distribution == name)
    }

    fn add(&mut self, owner: Owner, of: &str, name: &str, weight: Weight, role: Option<RoleIn>) -> usize {
        let role = role.and_then(RoleIn::fixed);
        self.marks.push(Mark { name: format!("{of}/{name}"), owner, weight, role, is_tag: name.starts_with("tag ") });
        self.marks.len() - 1
    }

    fn take(&mut self, owner: Owner, of: &str, marks: &'static Marks) {
        for (place, texts) in places(marks) {
            for text in texts {
                self.take_text(owner, of, place, text);
            }
        }
        for thing in &marks.things {
            let mark = self.add(owner, of, &thing.name, thing.weight, thing.role);
            let values = thing.values.as_ref().and_then(|t| t.compile().ok());
            let pattern = Pattern { values, ..Pattern::new(mark, &thing.regex) };
            self.texts.entry(Place::Thing(thing.kind)).or_default().all.push(pattern);
        }
        for says in &marks.tags {
            let name = says.key.as_deref().or(says.prefix.as_deref()).unwrap_or_default();
            let mark = self.add(owner, of, &format!("tag {name}"), says.weight, says.role);
            self.tags.push(Of { mark, says });
        }
        for says in &marks.ports {
            let mark = self.add(owner, of, &says.name, says.weight, None);
            self.ports.push(Of { mark, says });
        }
        for says in &marks.actions {
            let mark = self.add(owner, of, &says.name, says.weight, None);
            self.actions.push(Of { mark, says });
        }
        for says in &marks.images {
            let mark = self.add(owner, of, &says.name, says.weight, None);
            self.images.push((Of { mark, says }, Pattern::new(mark, &says.regex)));
        }
        for says in &marks.derived {
            self.add(owner, of, &says.name, says.weight, says.role);
        }
        for says in &marks.probes {
            let mark = self.add(owner, of, &says.name, says.weight, says.role);
            let pattern = |text: &Option<Text>| text.as_ref().map(|t| Pattern::new(mark, t));
            self.probes.push((Of { mark, says }, pattern(&says.body), pattern(&says.certificate)));
        }
    }

    fn take_text(&mut self, owner: Owner, of: &str, place: Place, text: &TextMark) {
        let mark = self.add(owner, of, &text.name, text.weight, text.role);
        let except = text.except.as_ref().and_then(|t| t.compile().ok());
        let pattern = Pattern { except, ..Pattern::new(mark, &text.regex) };
        self.texts.entry(place).or_default().all.push(pattern);
    }
}

/// The lists of text marks with their places.
fn places(marks: &Marks) -> [(Place, &Vec<TextMark>); 17] {
    [
        (Place::UserData, &marks.user_data),
        (Place::Name, &marks.names),
        (Place::Key, &marks.keys),
        (Place::Role, &marks.roles),
        (Place::Policy, &marks.policies),
        (Place::ScalingGroup, &marks.scaling_groups),
        (Place::Template, &marks.templates),
        (Place::GroupName, &marks.group_names),
        (Place::GroupDescription, &marks.group_descriptions),
        (Place::RuleDescription, &marks.rule_descriptions),
        (Place::Interface, &marks.interfaces),
        (Place::Balancer, &marks.balancers),
        (Place::Application, &marks.applications),
        (Place::Agent, &marks.agents),
        (Place::InvokedBy, &marks.invoked_by),
        (Place::Oidc, &marks.oidc),
        (Place::Operator, &marks.operators),
    ]
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
