//! Objects that are written once: segments of the audit chain, and evidence. Nothing here writes over or deletes.
//!
//! Guarantees: a write says `If-None-Match: *`, so S3 itself lets one writer have a name and tells the others. Names
//! that do not belong to the account are refused by S3 (`ExpectedBucketOwner`).

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;
use picket_model::AccountId;
use picket_pipeline::ports::{Answer, Kind, PortError};

use crate::Clients;
use crate::error::port_error;

/// What S3 says to the later of two writers.
const TAKEN: &[&str] = &["PreconditionFailed", "ConditionalRequestConflict"];

/// A bucket of objects that are written once.
#[derive(Debug)]
pub struct Vault {
    client: Client,
    bucket: String,
    owner: AccountId,
}

/// An object that is not the only one of its name: it was written over, or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overwritten {
    /// Its key.
    pub key: String,
    /// Whether it was deleted.
    pub deleted: bool,
}

impl Vault {
    /// The bucket named `bucket`, which belongs to `owner`.
    #[must_use]
    pub fn new(clients: &Clients, bucket: &str, owner: &AccountId) -> Self {
        let config = aws_sdk_s3::config::Builder::from(clients.config());
        // Local clouds have no name for each bucket.
        let path_style = clients.config().endpoint_url().is_some();
        let client = Client::from_conf(config.force_path_style(path_style).build());
        Self { client, bucket: bucket.to_owned(), owner: owner.clone() }
    }

    /// The bucket's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.bucket
    }

    /// Writes an object, unless there is one of that name. Says whether it did.
    ///
    /// # Errors
    /// If S3 denies it or cannot be reached.
    pub async fn put_once(&self, key: &str, body: String, kind: &str) -> Answer<bool> {
        let call = self.client.put_object().bucket(&self.bucket).key(key).content_type(kind).if_none_match("*");
        let call = call.expected_bucket_owner(self.owner.as_str()).checksum_algorithm(ChecksumAlgorithm::Sha256);
        match call.body(ByteStream::from(body.into_bytes())).send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().and_then(|e| e.code()).is_some_and(|c| TAKEN.contains(&c)) => {
                Ok(false)
            }
            Err(error) => Err(port_error("writing", self.at(key), &error)),
        }
    }

    /// The keys that begin with `prefix` and come after `after`, in order.
    ///
    /// # Errors
    /// As `put_once`.
    pub async fn keys(&self, prefix: &str, after: Option<&str>) -> Answer<Vec<String>> {
        let call = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let call = call.expected_bucket_owner(self.owner.as_str()).set_start_after(after.map(ToOwned::to_owned));
        let mut pages = call.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| port_error("listing", self.at(prefix), &e))?;
            keys.extend(page.contents().iter().filter_map(|o| o.key().map(ToOwned::to_owned)));
        }
        keys.sort();
        Ok(keys)
    }

    /// An object.
    ///
    /// # Errors
    /// As `put_once`, and if it is not there.
    pub async fn read(&self, key: &str) -> Answer<Vec<u8>> {
        let call = self.client.get_object().bucket(&self.bucket).key(key).expected_bucket_owner(self.owner.as_str());
        let answer = call.send().await.map_err(|e| port_error("reading", self.at(key), &e))?;
        let lost = |e: &dyn std::fmt::Display| {
            PortError::new("reading", self.at(key), Kind::Transient, &format!("the answer broke off: {e}"))
        };
        Ok(answer.body.collect().await.map_err(|e| lost(&e))?.to_vec())
    }

    /// Objects below `prefix` that were written over or deleted: with more than one version, or a mark of deletion.
    ///
    /// # Errors
    /// As `put_once`.
    pub async fn overwritten(&self, prefix: &str) -> Answer<Vec<Overwritten>> {
        let (mut found, mut newest) = (Vec::new(), String::new());
        let (mut key, mut version) = (None, None);
        loop {
            let call = self.client.list_object_versions().bucket(&self.bucket).prefix(prefix);
            let call =
                call.expected_bucket_owner(self.owner.as_str()).set_key_marker(key).set_version_id_marker(version);
            let page = call.send().await.map_err(|e| port_error("listing versions of", self.at(prefix), &e))?;
            for version in page.versions() {
                // Versions of an object come one after the other.
                let key = version.key().unwrap_or_default();
                if newest == key && found.last().is_none_or(|o: &Overwritten| o.key != key) {
                    found.push(Overwritten { key: key.to_owned(), deleted: false });
                }
                key.clone_into(&mut newest);
            }
            let marks = page.delete_markers().iter().filter_map(|m| m.key());
            found.extend(marks.map(|key| Overwritten { key: key.to_owned(), deleted: true }));
            if !page.is_truncated().unwrap_or(false) {
                return Ok(found);
            }
            (key, version) = (page.next_key_marker, page.next_version_id_marker);
        }
    }

    fn at(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }
}
