//! A token for an EKS cluster: a presigned STS call that the cluster makes in our place to learn who we are. No network.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use picket_model::Region;

/// What the cluster looks for before it decodes.
const PREFIX: &str = "k8s-aws-v1.";
/// The header that binds a token to one cluster.
const CLUSTER_HEADER: &str = "x-k8s-aws-id";
/// EKS takes tokens for 15 minutes whatever the presigned call says; the call itself needs no longer.
const PRESIGNED_FOR: Duration = Duration::from_secs(60);

/// A token could not be made.
#[derive(Debug, thiserror::Error)]
#[error("making a token for cluster {cluster}: {why}")]
pub struct TokenError {
    cluster: String,
    why: String,
}

/// A token for `cluster`, valid for 15 minutes from `now`.
///
/// # Errors
/// If the credentials or the names cannot be signed with.
pub fn eks_token(
    credentials: &Credentials,
    region: &Region,
    cluster: &str,
    now: SystemTime,
) -> Result<String, TokenError> {
    let fail = |why: String| TokenError { cluster: cluster.to_owned(), why };
    let url = format!("https://{}/?Action=GetCallerIdentity&Version=2011-06-15", sts_host(region));
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(PRESIGNED_FOR);
    let identity = credentials.clone().into();
    let region = region.to_string();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&region)
        .name("sts")
        .time(now)
        .settings(settings)
        .build()
        .map_err(|e| fail(e.to_string()))?
        .into();
    let headers = [(CLUSTER_HEADER, cluster)];
    let request = SignableRequest::new("GET", &url, headers.into_iter(), SignableBody::Bytes(&[]))
        .map_err(|e| fail(e.to_string()))?;
    let (instructions, _) = sign(request, &params).map_err(|e| fail(e.to_string()))?.into_parts();
    let mut presigned = http::Request::get(&url).body(()).map_err(|e| fail(e.to_string()))?;
    instructions.apply_to_request_http1x(&mut presigned);
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(presigned.uri().to_string())))
}

/// STS of a Region, in its partition's domain.
fn sts_host(region: &Region) -> String {
    let name = region.to_string();
    let domain = match name.as_str() {
        n if n.starts_with("cn-") => "amazonaws.com.cn",
        n if n.starts_with("us-isob-") => "sc2s.sgov.gov",
        n if n.starts_with("us-iso-") => "c2s.ic.gov",
        _ => "amazonaws.com",
    };
    format!("sts.{name}.{domain}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test: what cannot be read fails it")]
    use super::*;

    fn credentials() -> Credentials {
        let (id, secret) = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        Credentials::new(id, secret, Some("session/token+=".to_owned()), None, "test")
    }

    fn url_of(region: &str, cluster: &str) -> String {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let token = eks_token(&credentials(), &Region::parse(region).unwrap(), cluster, now).unwrap();
        String::from_utf8(URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn a_token_is_a_presigned_call_bound_to_one_cluster() {
        let url = url_of("eu-west-1", "prod");
        assert!(url.starts_with("https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&"));
        assert!(url.contains("X-Amz-SignedHeaders=host%3Bx-k8s-aws-id"), "{url}");
        assert!(url.contains("X-Amz-Expires=60"));
        assert!(url.contains("X-Amz-Security-Token=session%2Ftoken%2B%3D"));
        assert_ne!(url, url_of("eu-west-1", "other"));
    }

    #[test]
    fn the_signature_is_the_one_that_botocore_makes() {
        let url = url_of("eu-west-1", "prod");
        assert!(
            url.contains("X-Amz-Signature=cae76cb6734657030fbb6b96dde457009ac9e101e190fca1ddd75ffdf4c311fe"),
            "{url}"
        );
    }

    #[test]
    fn each_partition_has_its_own_domain() {
        assert!(url_of("cn-north-1", "prod").starts_with("https://sts.cn-north-1.amazonaws.com.cn/"));
        assert!(url_of("us-gov-west-1", "prod").starts_with("https://sts.us-gov-west-1.amazonaws.com/"));
    }
}
