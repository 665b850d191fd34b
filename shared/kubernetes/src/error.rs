//! What went wrong with a Kubernetes API: what was being done, to which cluster, and what to do next.

use std::error::Error as _;

use picket_model::Untrusted;
use picket_pipeline::ports::{Kind, PortError};

/// What kind of failure, as far as it changes what a person does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No connection came about: a private endpoint, a firewall, a cluster that is gone.
    Unreachable,
    /// Somebody answers whose certificate is not of the cluster's authority.
    Untrusted,
    /// The API does not know who we are.
    Unauthenticated,
    /// It knows us, and we may not.
    Denied,
    /// There is no such thing, or the cluster does not serve this API.
    NotFound,
    /// Somebody else was faster, or a list's page is too old to go on from.
    Conflict,
    /// It did not answer in time, or asks to come back later.
    Busy,
    /// The kubeconfig or the endpoint makes no sense.
    Misconfigured,
    /// Anything else.
    Other,
}

/// The roles that we ship, by who needs them: `infra/kubernetes/<name>.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Who reads evidence.
    Reader,
    /// Who makes fixes.
    Fixer,
    /// Who holds nodes.
    Holder,
}

impl Role {
    fn grant(self) -> &'static str {
        match self {
            Self::Reader => "grant it: kubectl apply -f infra/kubernetes/reader.yaml",
            Self::Fixer => "grant it: kubectl apply -f infra/kubernetes/fixer.yaml",
            Self::Holder => "grant it: kubectl apply -f infra/kubernetes/holder.yaml",
        }
    }
}

impl Failure {
    /// What a person does next, who needs this role.
    #[must_use]
    pub fn next(self, role: Role) -> &'static str {
        match self {
            Self::Unreachable => {
                "its endpoint may be private: run Picket where the endpoint can be reached, in its VPC, or allow its address"
            }
            Self::Untrusted => "compare the certificate authority with the one that the cluster's owner gives",
            Self::Unauthenticated => {
                "give Picket's role an access entry of the cluster (eks:CreateAccessEntry), or a kubeconfig that is valid"
            }
            Self::Denied => role.grant(),
            Self::NotFound => "nothing, if this cluster does not serve this API",
            Self::Conflict | Self::Busy => "try again",
            Self::Misconfigured => "correct the kubeconfig",
            Self::Other => "see what the API server says",
        }
    }
}

/// A call to a cluster's API that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{doing} of cluster {cluster}: {why}; {}", failure.next(*role))]
pub struct ApiError {
    /// Such as `listing the pods`.
    pub doing: String,
    /// The cluster's name.
    pub cluster: String,
    /// The API's own words, bounded.
    pub why: Untrusted,
    /// What kind of failure.
    pub failure: Failure,
    /// The role that who asked needs.
    pub role: Role,
}

impl ApiError {
    /// An error while `doing` something to `cluster`.
    #[must_use]
    pub fn new(doing: &str, cluster: &str, failure: Failure, why: &str) -> Self {
        let (doing, cluster, why) = (doing.to_owned(), cluster.to_owned(), Untrusted::new(why));
        Self { doing, cluster, why, failure, role: Role::Reader }
    }

    /// The same for who needs another role.
    #[must_use]
    pub fn needing(self, role: Role) -> Self {
        Self { role, ..self }
    }

    /// What an error of the client means.
    #[must_use]
    pub fn of(doing: &str, cluster: &str, error: &kube::Error) -> Self {
        let text = chain(error);
        match error {
            kube::Error::Api(status) => {
                let failure = by_code(status.code);
                let why = format!("{} {}: {}", status.code, status.reason, status.message);
                Self::new(doing, cluster, failure, &why)
            }
            kube::Error::Auth(_) => Self::new(doing, cluster, Failure::Unauthenticated, &text),
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
                Self::new(doing, cluster, Failure::Other, &format!("its answer could not be read: {text}"))
            }
            _ => Self::new(doing, cluster, by_text(&text), &text),
        }
    }
}

impl From<ApiError> for PortError {
    fn from(error: ApiError) -> Self {
        let kind = match error.failure {
            Failure::NotFound => Kind::NotFound,
            Failure::Denied | Failure::Unauthenticated => Kind::Denied,
            Failure::Conflict => Kind::Conflict,
            Failure::Busy | Failure::Unreachable => Kind::Transient,
            Failure::Untrusted | Failure::Misconfigured | Failure::Other => Kind::Other,
        };
        // What to do comes first: the server's words may be long, and texts are bounded.
        let why = format!("{}: {} ({})", error.doing, error.failure.next(error.role), error.why.as_str());
        Self::new("asking the API of cluster", error.cluster, kind, &why)
    }
}

fn by_code(code: u16) -> Failure {
    match code {
        401 => Failure::Unauthenticated,
        403 => Failure::Denied,
        404 | 405 => Failure::NotFound,
        409 | 410 => Failure::Conflict,
        429 | 500..=599 => Failure::Busy,
        _ => Failure::Other,
    }
}

/// TLS and socket failures come as text inside several layers of boxes.
fn by_text(text: &str) -> Failure {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| lower.contains(w));
    if has(&["certificate", "unknownissuer", "unknown issuer", "notvalidforname"]) {
        Failure::Untrusted
    } else if has(&["connect", "dns", "refused", "unreachable", "reset", "resolve", "eof", "closed"]) {
        Failure::Unreachable
    } else if has(&["timed out", "timeout", "elapsed"]) {
        Failure::Busy
    } else {
        Failure::Other
    }
}

/// An error and its causes, in one line, each said once.
fn chain(error: &kube::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_was_done_to_which_cluster_and_what_to_do_next() {
        let error = ApiError::new("listing the pods", "prod", Failure::Denied, "403 Forbidden: pods is forbidden");
        assert_eq!(
            error.to_string(),
            "listing the pods of cluster prod: 403 Forbidden: pods is forbidden; \
             grant it: kubectl apply -f infra/kubernetes/reader.yaml"
        );
    }

    #[test]
    fn long_words_of_the_server_do_not_hide_what_to_do_next() {
        let words = "nodes is forbidden: ".repeat(40);
        let error = ApiError::new("holding a node", "prod", Failure::Denied, &words).needing(Role::Holder);
        assert!(PortError::from(error).to_string().contains("kubectl apply -f infra/kubernetes/holder.yaml"));
    }

    #[test]
    fn codes_are_sorted_by_what_to_do_next() {
        let expected = [
            (401, Failure::Unauthenticated),
            (403, Failure::Denied),
            (404, Failure::NotFound),
            (410, Failure::Conflict),
            (429, Failure::Busy),
            (503, Failure::Busy),
            (418, Failure::Other),
        ];
        for (code, failure) in expected {
            assert_eq!(by_code(code), failure, "{code}");
        }
    }

    #[test]
    fn a_private_endpoint_is_told_from_a_wrong_certificate() {
        assert_eq!(by_text("client error (Connect): tcp connect error: Connection refused"), Failure::Unreachable);
        assert_eq!(by_text("client error (Connect): dns error: Name or service not known"), Failure::Unreachable);
        assert_eq!(by_text("client error (Connect): invalid peer certificate: UnknownIssuer"), Failure::Untrusted);
        assert_eq!(by_text("deadline has elapsed"), Failure::Busy);
    }
}
