//! What Kubernetes API servers tell: one collector a service.

use crate::collector::Collector;

/// The collectors, alphabetical.
pub const COLLECTORS: &[&dyn Collector] = &[];
