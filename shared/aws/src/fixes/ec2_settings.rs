//! Settings that EC2 keeps per account and Region.

use aws_sdk_ec2::types::{
    HttpTokensState, ImageBlockPublicAccessEnabledState, MetadataDefaultHttpTokensState, SnapshotBlockPublicAccessState,
};
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::ports::{Answer, Sight};
use serde_json::{Value, json};

use super::{AwsFixes, failed, flag, number, seen, unknown, word};

const UNBLOCKED: &str = "unblocked";

impl AwsFixes<'_> {
    pub(super) async fn read_setting(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        let (client, doing) = (self.clients.ec2(&scope.region), "reading a setting of");
        match aim.action.as_str() {
            "ec2_block_public_images" => {
                let answer = client.get_image_block_public_access_state().send().await;
                let answer = answer.map_err(|e| failed(doing, scope, &e))?;
                seen(json!({"state": answer.image_block_public_access_state().unwrap_or(UNBLOCKED)}))
            }
            "ec2_block_public_snapshots" => {
                let answer = client.get_snapshot_block_public_access_state().send().await;
                let answer = answer.map_err(|e| failed(doing, scope, &e))?;
                seen(json!({"state": answer.state().map_or(UNBLOCKED, SnapshotBlockPublicAccessState::as_str)}))
            }
            "ec2_default_imds" => {
                let answer = client.get_instance_metadata_defaults().send().await;
                let answer = answer.map_err(|e| failed(doing, scope, &e))?;
                let there = answer.account_level();
                let tokens = there.and_then(|l| l.http_tokens()).map(HttpTokensState::as_str);
                seen(json!({"tokens": tokens, "hop_limit": there.and_then(|l| l.http_put_response_hop_limit())}))
            }
            "ec2_disable_serial_console" => {
                let answer = client.get_serial_console_access_status().send().await;
                let answer = answer.map_err(|e| failed(doing, scope, &e))?;
                seen(json!({"on": answer.serial_console_access_enabled().unwrap_or(false)}))
            }
            "ec2_encrypt_volumes_by_default" => {
                let answer = client.get_ebs_encryption_by_default().send().await;
                let answer = answer.map_err(|e| failed(doing, scope, &e))?;
                seen(json!({"on": answer.ebs_encryption_by_default().unwrap_or(false)}))
            }
            _ => unknown(aim),
        }
    }

    pub(super) async fn write_setting(&self, scope: &Scope, aim: &Aim, to: &Value) -> Answer<()> {
        match aim.action.as_str() {
            "ec2_block_public_images" => self.block_images(scope, word(to, "state").unwrap_or(UNBLOCKED)).await,
            "ec2_block_public_snapshots" => self.block_snapshots(scope, word(to, "state").unwrap_or(UNBLOCKED)).await,
            "ec2_default_imds" => self.metadata_defaults(scope, to).await,
            "ec2_disable_serial_console" => self.serial_console(scope, flag(to, "on")).await,
            "ec2_encrypt_volumes_by_default" => self.encrypt_volumes(scope, flag(to, "on")).await,
            _ => unknown(aim),
        }
    }

    async fn block_images(&self, scope: &Scope, state: &str) -> Answer<()> {
        let (client, doing) = (self.clients.ec2(&scope.region), "setting whether images may be public in");
        if state == UNBLOCKED {
            let sent = client.disable_image_block_public_access().send().await;
            return sent.map(drop).map_err(|e| failed(doing, scope, &e));
        }
        let state = ImageBlockPublicAccessEnabledState::from(state);
        let sent = client.enable_image_block_public_access().image_block_public_access_state(state).send().await;
        sent.map(drop).map_err(|e| failed(doing, scope, &e))
    }

    async fn block_snapshots(&self, scope: &Scope, state: &str) -> Answer<()> {
        let (client, doing) = (self.clients.ec2(&scope.region), "setting whether snapshots may be public in");
        if state == UNBLOCKED {
            let sent = client.disable_snapshot_block_public_access().send().await;
            return sent.map(drop).map_err(|e| failed(doing, scope, &e));
        }
        let call = client.enable_snapshot_block_public_access().state(SnapshotBlockPublicAccessState::from(state));
        call.send().await.map(drop).map_err(|e| failed(doing, scope, &e))
    }

    /// A setting that was not chosen goes back to having no preference.
    async fn metadata_defaults(&self, scope: &Scope, to: &Value) -> Answer<()> {
        let tokens = MetadataDefaultHttpTokensState::from(word(to, "tokens").unwrap_or("no-preference"));
        let call = self.clients.ec2(&scope.region).modify_instance_metadata_defaults().http_tokens(tokens);
        let sent = call.http_put_response_hop_limit(number(to, "hop_limit").unwrap_or(-1)).send().await;
        sent.map(drop).map_err(|e| failed("setting the metadata defaults of", scope, &e))
    }

    async fn serial_console(&self, scope: &Scope, on: bool) -> Answer<()> {
        let (client, doing) = (self.clients.ec2(&scope.region), "setting the serial console of");
        if on {
            return client.enable_serial_console_access().send().await.map(drop).map_err(|e| failed(doing, scope, &e));
        }
        client.disable_serial_console_access().send().await.map(drop).map_err(|e| failed(doing, scope, &e))
    }

    async fn encrypt_volumes(&self, scope: &Scope, on: bool) -> Answer<()> {
        let (client, doing) = (self.clients.ec2(&scope.region), "setting the encryption of new volumes in");
        if on {
            let sent = client.enable_ebs_encryption_by_default().send().await;
            return sent.map(drop).map_err(|e| failed(doing, scope, &e));
        }
        client.disable_ebs_encryption_by_default().send().await.map(drop).map_err(|e| failed(doing, scope, &e))
    }
}
