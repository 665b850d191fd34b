//! Trails: where they write, whether they run, and which events they take.

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::types as ct;
use futures::StreamExt as _;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::Text as _;
use crate::aws::tell::{AT_ONCE, Ask, Service, Tell as _, WHOLE_LIST, reason};
use crate::collector::Reach;

const KIND: &str = "cloudtrail.trail";

/// Trails in their home Region.
pub static CLOUDTRAIL: Service = Service {
    reach: Reach::Region,
    kinds: &[KIND],
    permissions: &["cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    match client.describe_trails().include_shadow_trails(false).send().await {
        Ok(answer) => {
            let trails = answer.trail_list.unwrap_or_default();
            futures::stream::iter(trails).map(|t| read(ask, &client, t)).buffer_unordered(AT_ONCE).collect().await
        }
        Err(error) => vec![ask.failed(KIND, WHOLE_LIST, "cloudtrail:DescribeTrails", &error)],
    }
}

async fn read(ask: Ask<'_>, client: &Client, t: ct::Trail) -> Document {
    let mut value = json!({
        "name": t.name(),
        "trail_arn": t.trail_arn(),
        "home_region": t.home_region(),
        "is_multi_region_trail": t.is_multi_region_trail().unwrap_or_default(),
        "is_organization_trail": t.is_organization_trail().unwrap_or_default(),
        "include_global_service_events": t.include_global_service_events().unwrap_or_default(),
        "log_file_validation_enabled": t.log_file_validation_enabled().unwrap_or_default(),
        "kms_key_id": t.kms_key_id(),
        "s3_bucket_name": t.s3_bucket_name(),
        "cloud_watch_logs_log_group_arn": t.cloud_watch_logs_log_group_arn(),
        "unread": {},
    });
    let arn = t.trail_arn().or(t.name()).text();
    let (status, selectors) = futures::join!(
        client.get_trail_status().name(&arn).send(),
        client.get_event_selectors().trail_name(&arn).send(),
    );
    match status {
        Ok(answer) => value["is_logging"] = answer.is_logging().unwrap_or_default().into(),
        Err(error) => value["unread"]["is_logging"] = reason("cloudtrail:GetTrailStatus", &error).into(),
    }
    match selectors {
        Ok(answer) => value["takes"] = takes(answer.event_selectors(), answer.advanced_event_selectors()),
        Err(error) => value["unread"]["takes"] = reason("cloudtrail:GetEventSelectors", &error).into(),
    }
    ask.known(KIND, arn, "cloudtrail:DescribeTrails", value)
}

/// Which events a trail takes, whichever of the two kinds of selectors it has.
fn takes(basic: &[ct::EventSelector], advanced: &[ct::AdvancedEventSelector]) -> Value {
    let management = |write: bool| {
        basic.iter().any(|s| {
            s.include_management_events() == Some(true)
                && covers(s, write)
                && s.exclude_management_event_sources().is_empty()
        }) || advanced
            .iter()
            .any(|s| has(s, "eventCategory", "Management") && advanced_covers(s, write) && !narrowed(s))
    };
    let objects = |write: bool| {
        basic.iter().any(|s| covers(s, write) && s.data_resources().iter().any(all_objects))
            || advanced
                .iter()
                .any(|s| has(s, "resources.type", "AWS::S3::Object") && advanced_covers(s, write) && !narrowed(s))
    };
    json!({
        "management_reads": management(false),
        "management_writes": management(true),
        "s3_object_reads": objects(false),
        "s3_object_writes": objects(true),
    })
}

fn covers(s: &ct::EventSelector, write: bool) -> bool {
    match s.read_write_type() {
        None | Some(ct::ReadWriteType::All) => true,
        Some(ct::ReadWriteType::WriteOnly) => write,
        Some(ct::ReadWriteType::ReadOnly) => !write,
        Some(_) => false,
    }
}

fn all_objects(r: &ct::DataResource) -> bool {
    let every = |v: &String| v == "arn:aws:s3" || v.ends_with(":s3") || v.ends_with(":s3:::");
    r.r#type() == Some("AWS::S3::Object") && r.values().iter().any(every)
}

fn has(s: &ct::AdvancedEventSelector, field: &str, value: &str) -> bool {
    s.field_selectors().iter().any(|f| f.field() == field && f.equals().iter().any(|v| v == value))
}

fn advanced_covers(s: &ct::AdvancedEventSelector, write: bool) -> bool {
    let read_only = s.field_selectors().iter().find(|f| f.field() == "readOnly");
    read_only.is_none_or(|f| f.equals().iter().any(|v| (v == "true") != write))
}

/// Whether a selector takes only some: by name, by source or by ARN.
fn narrowed(s: &ct::AdvancedEventSelector) -> bool {
    let free = ["eventCategory", "resources.type", "readOnly"];
    s.field_selectors().iter().any(|f| !free.contains(&f.field()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, value: &str) -> ct::AdvancedFieldSelector {
        ct::AdvancedFieldSelector::builder().field(name).equals(value).build().unwrap()
    }

    fn advanced(fields: &[(&str, &str)]) -> ct::AdvancedEventSelector {
        let fields = fields.iter().map(|(n, v)| field(n, v)).collect();
        ct::AdvancedEventSelector::builder().set_field_selectors(Some(fields)).build().unwrap()
    }

    #[test]
    fn both_kinds_of_selectors_tell_which_events_are_taken() {
        let s3 = ct::DataResource::builder().r#type("AWS::S3::Object").values("arn:aws:s3").build();
        let write = ct::EventSelector::builder().read_write_type(ct::ReadWriteType::WriteOnly);
        let basic = write.include_management_events(true).data_resources(s3).build();
        let found = takes(&[basic], &[]);
        assert_eq!((&found["s3_object_writes"], &found["s3_object_reads"]), (&true.into(), &false.into()));
        assert_eq!(found["management_reads"], false);
        let found = takes(
            &[],
            &[advanced(&[("eventCategory", "Data"), ("resources.type", "AWS::S3::Object"), ("readOnly", "true")])],
        );
        assert_eq!((&found["s3_object_writes"], &found["s3_object_reads"]), (&false.into(), &true.into()));
    }

    #[test]
    fn a_selector_for_some_objects_is_not_one_for_all() {
        let narrow = advanced(&[("resources.type", "AWS::S3::Object"), ("resources.ARN", "arn:aws:s3:::one/")]);
        assert_eq!(takes(&[], &[narrow])["s3_object_reads"], false);
        let one = ct::DataResource::builder().r#type("AWS::S3::Object").values("arn:aws:s3:::one/").build();
        let basic = ct::EventSelector::builder().data_resources(one).build();
        assert_eq!(takes(&[basic], &[])["s3_object_writes"], false);
    }
}
