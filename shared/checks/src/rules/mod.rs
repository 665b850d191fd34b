//! The rule engine: rules as data, judged over evidence. A rule file says which documents it is about, what holds for
//! them and how it can be shown to work; everything in it is checked against the kinds when it is read. Judging makes no
//! text: what was read, and why something is unknown, is put into words only where somebody asks (`Judged::evaluation`).

pub mod cases;
pub mod catalogue;
mod compare;
mod compile;
pub mod crowd;
pub(crate) mod embedded;
pub mod evaluate;
pub mod evidence;
pub mod expr;
mod family;
pub mod judge;
pub mod kind;
mod network;
pub(crate) mod operator;
pub mod path;
mod raw;
pub mod refused;
pub mod rule;
pub(crate) mod span;
#[cfg(test)]
mod tests;
pub mod touched;
pub mod words;

pub use catalogue::Catalogue;
pub use evidence::Evidence;
pub use judge::{Judged, Verdict, judge_all};
pub use kind::{Kind, Kinds, Type};
pub use refused::Refused;
pub use rule::{Fix, Layer, Rule};
