//! What AWS's own APIs tell: one collector a service.

use crate::collector::Collector;

/// The collectors, alphabetical.
pub const COLLECTORS: &[&dyn Collector] = &[];
