//! What the account has set for all of EC2 in this Region.

use aws_sdk_ec2::Client;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::tell::{Ask, Tell as _, reason};

/// One document with the settings that could be read.
pub async fn collect(ask: Ask<'_>, client: &Client) -> Vec<Document> {
    let (encryption, snapshots, images, allowed, metadata, vpc) = futures::join!(
        client.get_ebs_encryption_by_default().send(),
        client.get_snapshot_block_public_access_state().send(),
        client.get_image_block_public_access_state().send(),
        client.get_allowed_images_settings().send(),
        client.get_instance_metadata_defaults().send(),
        client.describe_vpc_block_public_access_options().send(),
    );
    let mut value = json!({"unread": {}});
    let mut put = |field: &str, read: Result<Value, String>| match read {
        Ok(read) => value[field] = read,
        Err(why) => value["unread"][field] = why.into(),
    };
    let on = encryption.map(|a| json!(a.ebs_encryption_by_default()));
    put("ebs_encryption_by_default", on.map_err(|e| reason("ec2:GetEbsEncryptionByDefault", &e)));
    let state = snapshots.map(|a| json!(a.state().map(|s| s.as_str())));
    put("snapshot_block_public_access", state.map_err(|e| reason("ec2:GetSnapshotBlockPublicAccessState", &e)));
    let state = images.map(|a| json!(a.image_block_public_access_state()));
    put("image_block_public_access", state.map_err(|e| reason("ec2:GetImageBlockPublicAccessState", &e)));
    let state = allowed.map(|a| json!(a.state()));
    put("allowed_images", state.map_err(|e| reason("ec2:GetAllowedImagesSettings", &e)));
    put(
        "instance_metadata_defaults",
        metadata.map(|a| defaults(&a)).map_err(|e| reason("ec2:GetInstanceMetadataDefaults", &e)),
    );
    let mode = vpc.map(|a| {
        let options = a.vpc_block_public_access_options();
        json!(options.and_then(|o| o.internet_gateway_block_mode()).map_or("off", |m| m.as_str()))
    });
    put("internet_gateway_block_mode", mode.map_err(|e| reason("ec2:DescribeVpcBlockPublicAccessOptions", &e)));
    vec![ask.known(
        "ec2.settings",
        ask.place.region.as_ref().map(|r| r.as_str()),
        "ec2:GetEbsEncryptionByDefault and other settings",
        value,
    )]
}

fn defaults(
    answer: &aws_sdk_ec2::operation::get_instance_metadata_defaults::GetInstanceMetadataDefaultsOutput,
) -> Value {
    let level = answer.account_level();
    json!({
        "http_tokens": level.and_then(|l| l.http_tokens()).map_or("no-preference", |t| t.as_str()),
        "http_put_response_hop_limit": level.and_then(|l| l.http_put_response_hop_limit()),
    })
}
