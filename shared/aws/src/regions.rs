//! The Regions that an account has switched on.

use picket_model::Region;
use picket_pipeline::ports::Answer;

use crate::Clients;
use crate::error::port_error;

impl Clients {
    /// The Regions that can be used, alphabetical, as asked in one of them.
    ///
    /// # Errors
    /// If they cannot be listed.
    pub async fn regions(&self, home: &Region) -> Answer<Vec<Region>> {
        let answer = self.ec2(home).describe_regions().send().await;
        let answer = answer.map_err(|e| port_error("listing the Regions of", "the account", &e))?;
        let names = answer.regions().iter().filter_map(|r| Region::parse(r.region_name()?).ok());
        let mut regions: Vec<Region> = names.collect();
        regions.sort();
        Ok(regions)
    }
}
