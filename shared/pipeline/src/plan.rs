//! From a decision and live state to a plan. Pure: what will be done is all here, before anything is permitted.

use std::collections::HashMap;

use picket_model::{
    Capture, Decision, GroupId, Instance, InstanceId, Interface, InterfaceKind, Plan, Step, Untrusted, VpcId,
};

/// What is read again, at the last moment, before a plan is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Live {
    /// The instances that still exist.
    pub instances: Vec<Instance>,
    /// Their interfaces.
    pub interfaces: Vec<Interface>,
    /// The quarantine group of each VPC that has one, checked.
    pub quarantine: HashMap<VpcId, GroupId>,
}

impl Live {
    /// The interfaces of one instance.
    pub fn of<'a>(&'a self, instance: &'a InstanceId) -> impl Iterator<Item = &'a Interface> {
        self.interfaces.iter().filter(move |i| i.instance.as_ref() == Some(instance))
    }

    /// Whether an interface is in its quarantine group and in no other.
    #[must_use]
    pub fn is_contained(&self, interface: &Interface) -> bool {
        self.quarantine.get(&interface.vpc).is_some_and(|q| interface.groups == std::slice::from_ref(q))
    }
}

/// Builds the plan: one step for every interface of every instance that is not contained yet.
#[must_use]
pub fn build(decision: &Decision, live: &Live) -> Plan {
    let mut plan =
        Plan { case: decision.case.clone(), scope: decision.scope.clone(), steps: Vec::new(), skipped: Vec::new() };
    for id in decision.targets.iter().filter_map(|t| t.instance.as_ref()) {
        match live.instances.iter().find(|i| &i.id == id) {
            None => plan.skipped.push((id.clone(), "AWS does not show it any more".to_owned())),
            Some(i) if i.state.is_gone() => plan.skipped.push((id.clone(), "it is terminated".to_owned())),
            Some(_) => {
                let steps: Vec<Step> = live.of(id).filter_map(|i| step(id, i, live)).collect();
                if steps.is_empty() {
                    plan.skipped.push((id.clone(), "it is contained already".to_owned()));
                }
                plan.steps.extend(steps);
            }
        }
    }
    plan
}

fn step(instance: &InstanceId, interface: &Interface, live: &Live) -> Option<Step> {
    if live.is_contained(interface) {
        return None;
    }
    let cannot = |why: String| Step::CannotContain {
        instance: instance.clone(),
        interface: interface.id.clone(),
        why: Untrusted::new(&why),
    };
    Some(match &interface.kind {
        InterfaceKind::Requester(by) => cannot(format!("it is managed by {by}, which alone may change it")),
        InterfaceKind::Own | InterfaceKind::Operator(_) => Step::Contain {
            instance: instance.clone(),
            before: Capture {
                interface: interface.id.clone(),
                vpc: interface.vpc.clone(),
                groups: without_quarantine(interface, live),
            },
        },
    })
}

/// A capture never contains the quarantine group: what is half contained is captured by what it had besides.
fn without_quarantine(interface: &Interface, live: &Live) -> Vec<GroupId> {
    let quarantine = live.quarantine.get(&interface.vpc);
    interface.groups.iter().filter(|g| Some(*g) != quarantine).cloned().collect()
}
