//! Tag the instance with its case, so that whoever meets it in the console knows where to ask. Nothing is ever decided
//! by this tag: anybody can set it.

use picket_model::{Change, Measure};

use super::Subject;

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &["ec2:CreateTags"];

/// The tag's key.
pub const KEY: &str = "picket:case";

/// The measure.
pub(super) fn plan(subject: &Subject<'_>) -> Vec<Measure> {
    let (instance, key) = (subject.facts.instance.clone(), KEY.to_owned());
    let undo = Change::Untag { instance: instance.clone(), key: key.clone() };
    vec![Measure::new("tag_case", Change::Tag { instance, key, value: subject.case.to_string() }, Some(undo))]
}
