//! What nodes tell by Systems Manager: one collector a document.

use crate::collector::Collector;

/// The collectors, alphabetical.
pub const COLLECTORS: &[&dyn Collector] = &[];
