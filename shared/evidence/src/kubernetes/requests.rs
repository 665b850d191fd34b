//! `kubernetes.certificate_request`: who asked for a client certificate, for whom, and whether it was given.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use picket_model::Document;
use serde_json::{Value, json};

use super::documents::Context;
use super::objects::{Objects, list, name, text};

/// One document a request.
#[must_use]
pub fn documents(context: &Context, objects: &Objects) -> Vec<Document> {
    objects.list("CertificateSigningRequest").iter().map(|r| document(context, r)).collect()
}

fn document(context: &Context, request: &Value) -> Document {
    let signer = text(request, "/spec/signerName");
    let requester = text(request, "/spec/username");
    let is_for_node = requester.starts_with("system:node:") || requester.starts_with("system:bootstrap:");
    let facts = json!({
        "cluster": context.cluster,
        "name": name(request),
        "signer": signer,
        "requester": requester,
        "approved": list(request, "/status/conditions").iter().any(|c| text(c, "/type") == "Approved"),
        "client_of_a_person": signer == "kubernetes.io/kube-apiserver-client" && !is_for_node,
        "asks_for_masters": asks_for_masters(text(request, "/spec/request")),
    });
    context.document("kubernetes.certificate_request", &[name(request)], facts, "kubernetes:list certificate requests")
}

/// Whether the request's subject names the group that no rule can hold back. Names in a request are plain text
/// within its DER, so that they can be looked for without reading the rest of it.
fn asks_for_masters(request: &str) -> bool {
    let pem = STANDARD.decode(request).unwrap_or_default();
    let pem = String::from_utf8_lossy(&pem);
    let body: String = pem.lines().filter(|l| !l.starts_with("-----")).collect();
    let der = STANDARD.decode(body.trim()).unwrap_or_default();
    der.windows(b"system:masters".len()).any(|w| w == b"system:masters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_for_the_masters_group_is_seen() {
        let der = b"\x30\x82\x01O=system:masters\x00";
        let pem = format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
            STANDARD.encode(der)
        );
        assert!(asks_for_masters(&STANDARD.encode(pem)));
        assert!(!asks_for_masters(&STANDARD.encode("-----BEGIN-----\nAAAA\n")));
        assert!(!asks_for_masters("not base64 at all"));
    }
}
