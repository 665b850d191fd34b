//! The reads of a scan, behind the pipeline's `Lookout`: one account, every Region. Every call waits its turn in EC2's
//! buckets, is counted, and is named after its permission, which `picket_pipeline::scan::READS` lists.

mod balancers;
mod identity;
mod machines;
mod names;
mod network;
mod records;
mod told;
mod turn;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use picket_model::landscape::Sight;
use picket_model::{InstanceId, Region, Scope, Untrusted};
use picket_pipeline::ports::{Answer, PortError};
use picket_pipeline::scan::{Lookout, Origin, Page, Part, See};

use crate::Clients;
use crate::error::port_error;

/// How long a connection may take.
const CONNECTS_WITHIN: Duration = Duration::from_secs(3);
/// How long one attempt at a call may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

/// The eyes on one account.
#[derive(Debug)]
pub struct Watch {
    clients: Clients,
    turns: turn::Turns,
    /// For Route 53, which counts a whole account.
    slow: turn::Turns,
    roles: Mutex<HashMap<Untrusted, Vec<picket_model::landscape::Role>>>,
    providers: futures::lock::Mutex<Option<Vec<picket_model::landscape::Oidc>>>,
    zones: futures::lock::Mutex<Option<records::Zones>>,
}

impl Watch {
    /// With the credentials of these clients. A page of a thousand takes longer than what a launch waits for, so calls
    /// may too.
    #[must_use]
    pub fn new(clients: &Clients) -> Self {
        let patient =
            TimeoutConfig::builder().connect_timeout(CONNECTS_WITHIN).operation_attempt_timeout(ANSWERS_WITHIN);
        let config = clients.config().to_builder().timeout_config(patient.build()).build();
        Self {
            clients: Clients::of(config),
            turns: turn::Turns::default(),
            roles: Mutex::default(),
            providers: Default::default(),
            slow: turn::Turns::slow(),
            zones: Default::default(),
        }
    }

    /// The clients.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// The Regions that the account has enabled.
    ///
    /// # Errors
    /// If they cannot be listed.
    pub async fn regions(&self, from: &Region) -> Answer<Vec<Region>> {
        self.turns.wait(from).await;
        let answer = self.clients.ec2(from).describe_regions().send().await;
        let answer = answer.map_err(failed("ec2:DescribeRegions"))?;
        let names = answer.regions().iter().filter_map(|r| r.region_name());
        let mut regions: Vec<_> = names.filter_map(|name| Region::parse(name).ok()).collect();
        regions.sort();
        Ok(regions)
    }
}

/// An error named after the permission that the call takes.
fn failed<E: ProvideErrorMetadata, R>(action: &'static str) -> impl Fn(SdkError<E, R>) -> PortError {
    move |error| port_error("calling", action, &error)
}

#[async_trait]
impl Lookout for Watch {
    async fn machines(&self, scope: &Scope, after: Option<&str>) -> Answer<Page> {
        self.page_of_machines(scope, after).await
    }

    async fn user_data(&self, scope: &Scope, of: &InstanceId) -> Answer<Option<String>> {
        self.user_data_of(scope, of).await
    }

    async fn sights(&self, scope: &Scope, part: Part, see: See<'_>) -> Answer<()> {
        let region = &scope.region;
        match part {
            Part::Agents => self.agents(region, see).await,
            Part::Balancers => self.balancers(region, see).await,
            Part::Buckets => self.buckets(region, see).await,
            Part::ClassicBalancers => self.classic_balancers(region, see).await,
            Part::Clusters => self.clusters(region, see).await,
            Part::Groups => self.groups(region, see).await,
            Part::Links => self.links(region, see).await,
            Part::Oidc => self.oidc(region, see).await,
            Part::Parameters => self.names_of_parameters(region, see).await,
            Part::Queues => self.names_of_queues(region, see).await,
            Part::Rules => self.names_of_rules(region, see).await,
            Part::Places => self.places(region, see).await,
            Part::Records => self.records(region, see).await,
            Part::Secrets => self.names_of_secrets(region, see).await,
            Part::ScalingTiers => self.scaling_tiers(region, see).await,
            Part::Templates => self.templates(region, see).await,
            Part::Volumes => self.volumes(region, see).await,
        }
    }

    async fn images(&self, scope: &Scope, ids: &[Untrusted], see: See<'_>) -> Answer<()> {
        self.images_of(&scope.region, ids, see).await
    }

    async fn roles(&self, scope: &Scope, profiles: &[Untrusted], see: See<'_>) -> Answer<()> {
        for role in self.roles_of(&scope.region, profiles).await? {
            see(Sight::Role(role));
        }
        Ok(())
    }

    async fn prefix_lists(&self, scope: &Scope, ids: &[Untrusted], see: See<'_>) -> Answer<()> {
        self.prefix_lists_of(&scope.region, ids, see).await
    }

    async fn programs(&self, scope: &Scope) -> Answer<Vec<(InstanceId, Untrusted)>> {
        self.programs_of(&scope.region).await
    }

    async fn launchers(&self, scope: &Scope) -> Answer<Vec<(InstanceId, Untrusted)>> {
        self.launchers_of(&scope.region).await
    }

    async fn maker(&self, scope: &Scope, of: &Origin) -> Answer<Option<Untrusted>> {
        self.maker_of(&scope.region, of).await
    }

    fn calls(&self, scope: &Scope) -> usize {
        self.turns.made(&scope.region)
    }
}
