//! Which crate reads and changes what: objects of a cluster by its API, everything else by AWS's.

use async_trait::async_trait;
use picket_aws::AwsFixes;
use picket_kubernetes::fixes::PREFIX;
use picket_kubernetes::{KubernetesFixes, Reach};
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::Permit;
use picket_pipeline::ports::{Answer, Fixes, Sight};
use serde_json::Value;

/// Both behind one port.
pub struct Router<'a> {
    aws: AwsFixes<'a>,
    kubernetes: KubernetesFixes<'a>,
}

impl<'a> Router<'a> {
    /// For one deployment, and the clusters that it reaches.
    pub fn new(aws: AwsFixes<'a>, clusters: &'a dyn Reach) -> Self {
        Self { aws, kubernetes: KubernetesFixes::new(clusters) }
    }

    fn of(&self, aim: &Aim) -> &dyn Fixes {
        if aim.action.starts_with(PREFIX) { &self.kubernetes } else { &self.aws }
    }
}

#[async_trait]
impl Fixes for Router<'_> {
    async fn read(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        self.of(aim).read(scope, aim).await
    }

    async fn write(&self, permit: &Permit, scope: &Scope, aim: &Aim, from: &Value, to: &Value) -> Answer<()> {
        self.of(aim).write(permit, scope, aim, from, to).await
    }
}
