//! An instance in one line, for tables, files and the memory of ten thousand of them.

use std::collections::HashMap;

use jiff::Timestamp;
use picket_model::landscape::{NodeRole, Survey};
use picket_model::{Instance, InstanceId, InstanceState, Untrusted};
use serde::{Deserialize, Serialize};

/// An instance in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its id.
    pub id: InstanceId,
    /// The `Name` tag.
    pub name: Untrusted,
    /// Such as `m6i.large`.
    pub instance_type: Untrusted,
    /// Its state.
    pub state: InstanceState,
    /// When it was launched.
    pub launched_at: Timestamp,
    /// The image.
    pub image: Untrusted,
    /// Its public address.
    pub public_ip: Option<Untrusted>,
    /// The cluster that it is a node of, by its id.
    pub cluster: Option<String>,
    /// What it does there.
    pub role: Option<NodeRole>,
    /// How sure that is; with no cluster, how much speaks for its being a node.
    pub confidence: u16,
}

impl Row {
    /// The line of an instance, which is no node yet.
    #[must_use]
    pub fn of(instance: &Instance) -> Self {
        Self {
            id: instance.id.clone(),
            name: instance.name.clone(),
            instance_type: instance.instance_type.clone(),
            state: instance.state,
            launched_at: instance.launched_at,
            image: instance.image.clone(),
            public_ip: instance.public_ip().cloned(),
            cluster: None,
            role: None,
            confidence: 0,
        }
    }
}

/// Says of each instance which cluster it belongs to.
pub(super) fn join(rows: &mut [Row], survey: &Survey) {
    let ids: Vec<InstanceId> = rows.iter().map(|row| row.id.clone()).collect();
    let mut places: HashMap<&InstanceId, usize> = ids.iter().zip(0..).collect();
    let mut told = Vec::new();
    for cluster in &survey.clusters {
        for node in &cluster.nodes {
            told.extend(places.remove(&node.id).map(|n| (n, Some(&cluster.id), Some(node.role), node.confidence)));
        }
        for bastion in &cluster.bastions {
            told.extend(places.remove(bastion).map(|n| (n, Some(&cluster.id), Some(NodeRole::Bastion), 0)));
        }
    }
    for suspect in &survey.suspects {
        told.extend(places.remove(&suspect.id).map(|n| (n, None, None, suspect.confidence)));
    }
    for (n, cluster, role, confidence) in told {
        if let Some(row) = rows.get_mut(n) {
            row.cluster = cluster.cloned();
            row.role = role;
            row.confidence = confidence;
        }
    }
}
