//! A rule as it is judged: names checked, expressions compiled.

use jiff::Timestamp;
use picket_model::{Region, Severity};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::expr::Expression;
use super::operator::Operator;
use super::path::Path;

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// `<folder>_<file>`, or `<folder>_<file>_<row>` in a family.
    pub name: String,
    /// The file that it comes from.
    pub file: String,
    /// What holds when it passes, in one line.
    pub title: String,
    /// What is wrong when it fails, in one line.
    pub wrong: Option<String>,
    /// How bad it is that it fails.
    pub severity: Severity,
    /// The layer of the stack.
    pub layer: Layer,
    /// The kind of document that it is about.
    pub select: String,
    /// Other kinds that it looks into, by the variable that names them.
    pub joins: Vec<Join>,
    /// Whether the question arises, and the reason if not.
    pub when: Option<(Condition, String)>,
    /// What has to hold.
    pub check: Condition,
    /// Why it matters.
    pub why: String,
    /// What would fix it.
    pub fix: Fix,
    /// Whether it only gathers what a person judges by.
    pub evidence_only: bool,
    /// Whether its failure is a sign that something is going on, such as mining, and not only that it could.
    pub live: bool,
    /// Documents with what they should come to.
    pub cases: Vec<Case>,
}

impl Rule {
    /// Whether it is about what the whole internet can reach: by its operators, or by what its expressions look at.
    #[must_use]
    pub fn exposes(&self) -> bool {
        self.check.exposes()
    }
}

impl Condition {
    fn exposes(&self) -> bool {
        const WORDS: [&str; 4] = ["isPublicCidr", "portOpen", "world", "public"];
        match self {
            Self::All(of) | Self::Any(of) | Self::None(of) => of.iter().any(Self::exposes),
            Self::Expr(expr) => WORDS.iter().any(|w| expr.text().contains(w)),
            Self::Leaf(leaf) => {
                let open = matches!(leaf.operator, Operator::CidrNotPublic | Operator::PortClosed(_));
                open || WORDS.iter().any(|w| leaf.at.to_string().contains(w))
            }
        }
    }
}

/// Another kind of document beside the one that is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// The variable.
    pub name: String,
    /// The kind.
    pub kind: String,
}

/// Something that holds or not.
#[derive(Debug)]
pub enum Condition {
    /// All of these hold.
    All(Vec<Condition>),
    /// One of these holds.
    Any(Vec<Condition>),
    /// None of these holds.
    None(Vec<Condition>),
    /// One comparison.
    Leaf(Leaf),
    /// An expression.
    Expr(Box<dyn Expression>),
}

/// One comparison.
#[derive(Debug)]
pub struct Leaf {
    /// Which variable the path starts in: none for the document, else the number of the join.
    pub join: Option<usize>,
    /// The path as written.
    pub at: Path,
    /// The path from where it starts.
    pub below: Path,
    /// What is compared, with what.
    pub operator: Operator,
    /// What stands for a missing value.
    pub default: Option<Value>,
    /// Whether one element is enough.
    pub some: bool,
    /// What is expected, in the rule's own words.
    pub expected: Option<String>,
}

/// What would fix a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// For a person.
    pub how: String,
    /// The action that does it.
    pub action: Option<String>,
    /// Its parameters.
    pub with: Map<String, Value>,
    /// Whether it needs approval: `never`, `always`, or as the policy says.
    pub approval: Option<String>,
    /// What has to hold before it is done.
    pub guard: Option<String>,
}

/// A layer of the container stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The AWS account and its services.
    Foundation,
    /// VPCs, groups, gateways.
    Network,
    /// The operating system of nodes.
    Os,
    /// The container runtime.
    Runtime,
    /// The cluster itself.
    Kubernetes,
    /// What runs in it.
    Workload,
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Foundation => "foundation",
            Self::Network => "network",
            Self::Os => "os",
            Self::Runtime => "runtime",
            Self::Kubernetes => "kubernetes",
            Self::Workload => "workload",
        })
    }
}

/// A document with what it should come to.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The line in the file.
    pub line: u64,
    /// `pass`, `fail`, `unknown`, `not_applicable` or `manual`.
    pub expect: &'static str,
    /// The facts.
    pub document: Value,
    /// Facts of other kinds, by variable; none where they could not be read.
    pub with: Vec<(String, Option<Vec<Value>>)>,
    /// The document's id.
    pub id: String,
    /// Its Region.
    pub region: Option<Region>,
    /// When it was read.
    pub at: Timestamp,
}
