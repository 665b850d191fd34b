//! Images and snapshots that everybody may use. Accounts that they are shared with by name are not touched.

use aws_sdk_ec2::types::{
    ImageAttributeName, LaunchPermission, LaunchPermissionModifications, OperationType, PermissionGroup,
    SnapshotAttributeName,
};
use picket_model::Scope;
use picket_pipeline::ports::Answer;

use super::super::{AwsFixes, failed};

impl AwsFixes<'_> {
    pub(super) async fn image_is_public(&self, scope: &Scope, image: &str) -> Answer<bool> {
        let call = self.clients.ec2(&scope.region).describe_image_attribute().image_id(image);
        let answer = call.attribute(ImageAttributeName::LaunchPermission).send().await;
        let answer = answer.map_err(|e| failed("reading who may use image", image, &e))?;
        Ok(answer.launch_permissions().iter().any(|p| p.group() == Some(&PermissionGroup::All)))
    }

    pub(super) async fn share_image(&self, scope: &Scope, image: &str, public: bool) -> Answer<()> {
        let all = LaunchPermission::builder().group(PermissionGroup::All).build();
        let change = LaunchPermissionModifications::builder();
        let change = if public { change.add(all) } else { change.remove(all) };
        let call = self.clients.ec2(&scope.region).modify_image_attribute().image_id(image);
        let sent = call.launch_permission(change.build()).send().await;
        sent.map(drop).map_err(|e| failed("changing who may use image", image, &e))
    }

    pub(super) async fn snapshot_is_public(&self, scope: &Scope, snapshot: &str) -> Answer<bool> {
        let call = self.clients.ec2(&scope.region).describe_snapshot_attribute().snapshot_id(snapshot);
        let answer = call.attribute(SnapshotAttributeName::CreateVolumePermission).send().await;
        let answer = answer.map_err(|e| failed("reading who may use snapshot", snapshot, &e))?;
        Ok(answer.create_volume_permissions().iter().any(|p| p.group() == Some(&PermissionGroup::All)))
    }

    pub(super) async fn share_snapshot(&self, scope: &Scope, snapshot: &str, public: bool) -> Answer<()> {
        let kind = if public { OperationType::Add } else { OperationType::Remove };
        let call = self.clients.ec2(&scope.region).modify_snapshot_attribute().snapshot_id(snapshot);
        let call = call.attribute(SnapshotAttributeName::CreateVolumePermission).operation_type(kind);
        let sent = call.group_names("all").send().await;
        sent.map(drop).map_err(|e| failed("changing who may use snapshot", snapshot, &e))
    }
}
