//! Whether a trail is logging management events: EventBridge gets no API call without one.

use aws_sdk_cloudtrail::types::{AdvancedEventSelector, EventSelector, ReadWriteType, Trail};
use picket_model::Region;
use picket_pipeline::ports::Answer;

use super::{Checkup, Finding};
use crate::error::port_error;

const WHAT: &str = "the trail";
const MEND: &str = "aws cloudtrail create-trail --name management --is-multi-region-trail --s3-bucket-name BUCKET, then \
                    start-logging: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-create-a-trail.html";

impl Checkup<'_> {
    /// A finding for home, and one for each other Region that no trail covers.
    pub(super) async fn trails(&self, elsewhere: &[Region]) -> Vec<Finding> {
        let home = &self.home.region;
        let trails = match self.logging_trails().await {
            Ok(trails) => trails,
            Err(error) => return vec![Finding::unknown(WHAT, home, &error)],
        };
        let covers = |region: &Region| {
            trails.iter().find(|t| t.is_multi_region_trail() == Some(true) || t.home_region() == Some(region.as_str()))
        };
        let mut regions = vec![home];
        regions.extend(elsewhere.iter().filter(|r| *r != home));
        let judge = |region: &Region| match covers(region) {
            Some(trail) => Finding::well(WHAT, region, format!("{} logs", trail.name().unwrap_or("a trail"))),
            None => {
                Finding::ill(WHAT, region, "no trail logs management events here: no API call reaches Picket", MEND)
            }
        };
        regions.into_iter().map(judge).collect()
    }

    /// The trails that are logging management events that change something.
    async fn logging_trails(&self) -> Answer<Vec<Trail>> {
        let client = self.clients.cloudtrail(&self.home.region);
        let answer = client.describe_trails().include_shadow_trails(true).send().await;
        let answer = answer.map_err(|e| port_error("calling", "cloudtrail:DescribeTrails", &e))?;
        let mut logging = Vec::new();
        for trail in answer.trail_list.unwrap_or_default() {
            let Some(name) = trail.trail_arn().or(trail.name()).map(ToOwned::to_owned) else { continue };
            let status = client.get_trail_status().name(&name).send().await;
            let status = status.map_err(|e| port_error("calling", "cloudtrail:GetTrailStatus", &e))?;
            if status.is_logging() == Some(true) && self.logs_changes(&name).await? {
                logging.push(trail);
            }
        }
        Ok(logging)
    }

    async fn logs_changes(&self, name: &str) -> Answer<bool> {
        let client = self.clients.cloudtrail(&self.home.region);
        let answer = client.get_event_selectors().trail_name(name).send().await;
        let answer = answer.map_err(|e| port_error("calling", "cloudtrail:GetEventSelectors", &e))?;
        let (plain, advanced) = (answer.event_selectors(), answer.advanced_event_selectors());
        // A trail without any selector logs management events.
        Ok((plain.is_empty() && advanced.is_empty()) || plain.iter().any(is_plain) || advanced.iter().any(is_advanced))
    }
}

fn is_plain(selector: &EventSelector) -> bool {
    selector.include_management_events() != Some(false) && selector.read_write_type() != Some(&ReadWriteType::ReadOnly)
}

/// `eventCategory` is `Management`, and reads are not all that is taken.
fn is_advanced(selector: &AdvancedEventSelector) -> bool {
    let says = |field: &str, value: &str| {
        let of = selector.field_selectors().iter().filter(|f| f.field() == field);
        of.flat_map(|f| f.equals()).any(|v| v == value)
    };
    says("eventCategory", "Management") && !says("readOnly", "true")
}
