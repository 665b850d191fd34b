//! The SDK's clients, made once. EC2 and EKS live in Regions, so theirs are made per Region, when first asked for.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use picket_model::Region;
use picket_pipeline::pace::{Lane, Pace, Rank};

/// Clients for everything that Picket speaks to.
#[derive(Debug)]
pub struct Clients {
    config: SdkConfig,
    ec2: Mutex<HashMap<Region, aws_sdk_ec2::Client>>,
    eks: Mutex<HashMap<Region, aws_sdk_eks::Client>>,
    cloudtrail: Mutex<HashMap<Region, aws_sdk_cloudtrail::Client>>,
    iam: OnceLock<aws_sdk_iam::Client>,
    pace: Mutex<Pace<Region>>,
}

impl Clients {
    /// Loads credentials and Region as every AWS tool does, and sets our time limits: a call that hangs must not eat
    /// the function's whole time.
    pub async fn load(profile: Option<&str>, region: Option<&str>) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_secs(10))
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(4));
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = region {
            loader = loader.region(aws_config::Region::new(region.to_owned()));
        }
        Self::of(loader.load().await)
    }

    /// With this configuration.
    #[must_use]
    pub fn of(config: SdkConfig) -> Self {
        Self {
            config,
            ec2: Mutex::default(),
            eks: Mutex::default(),
            cloudtrail: Mutex::default(),
            iam: OnceLock::new(),
            pace: Mutex::default(),
        }
    }

    /// The SDK's configuration, for the clients of services without Regions of their own.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The Region that the environment or the profile names.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        self.config.region().and_then(|r| Region::parse(r.as_ref()).ok())
    }

    /// EC2 in a Region.
    pub fn ec2(&self, region: &Region) -> aws_sdk_ec2::Client {
        let mut clients = self.ec2.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry(region.clone()).or_insert_with(|| aws_sdk_ec2::Client::new(&self.in_region(region))).clone()
    }

    /// EKS in a Region.
    pub fn eks(&self, region: &Region) -> aws_sdk_eks::Client {
        let mut clients = self.eks.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry(region.clone()).or_insert_with(|| aws_sdk_eks::Client::new(&self.in_region(region))).clone()
    }

    /// CloudTrail in a Region.
    pub fn cloudtrail(&self, region: &Region) -> aws_sdk_cloudtrail::Client {
        let mut clients = self.cloudtrail.lock().unwrap_or_else(PoisonError::into_inner);
        clients
            .entry(region.clone())
            .or_insert_with(|| aws_sdk_cloudtrail::Client::new(&self.in_region(region)))
            .clone()
    }

    /// IAM, which has no Regions.
    pub fn iam(&self) -> &aws_sdk_iam::Client {
        self.iam.get_or_init(|| aws_sdk_iam::Client::new(&self.config))
    }

    /// Waits until EC2's published bucket lets a change of this rank through.
    pub async fn paced(&self, region: &Region, lane: Lane, rank: Rank) {
        let now = jiff::Timestamp::now();
        let wait = self.pace.lock().unwrap_or_else(PoisonError::into_inner).take(region, lane, rank, now);
        if wait.is_positive() {
            tracing::debug!(?lane, ?rank, ?wait, "waiting for EC2's bucket");
            tokio::time::sleep(wait.unsigned_abs()).await;
        }
    }

    /// The SDK's configuration for a Region.
    #[must_use]
    pub fn in_region(&self, region: &Region) -> SdkConfig {
        self.config.to_builder().region(aws_config::Region::new(region.to_string())).build()
    }
}
