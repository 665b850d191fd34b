//! `kubernetes.service` and `kubernetes.ingress`: what is reachable from outside, and whether it ends TLS.

use picket_model::Document;
use serde_json::{Value, json};

use super::documents::Context;
use super::identity::is_system;
use super::objects::{Objects, list, mark, name, namespace, text, texts};

const CERTIFICATE: &str = "service.beta.kubernetes.io/aws-load-balancer-ssl-cert";
const TLS_PORTS: &str = "service.beta.kubernetes.io/aws-load-balancer-ssl-ports";
const SCHEME: &str = "service.beta.kubernetes.io/aws-load-balancer-scheme";
const INTERNAL: &str = "service.beta.kubernetes.io/aws-load-balancer-internal";

/// One document a service.
#[must_use]
pub fn services(context: &Context, objects: &Objects) -> Vec<Document> {
    objects.list("Service").iter().map(|s| service(context, s)).collect()
}

fn service(context: &Context, service: &Value) -> Document {
    let ports = list(service, "/spec/ports");
    let kind = match text(service, "/spec/type") {
        "" => "ClusterIP",
        other => other,
    };
    let note = |key: &str| mark(service, "annotations", key).unwrap_or("");
    let facts = json!({
        "cluster": context.cluster,
        "namespace": namespace(service),
        "name": name(service),
        "system": is_system(namespace(service)),
        "type": kind,
        "ports": ports.iter().filter_map(|p| p.get("port").and_then(Value::as_i64)).collect::<Vec<_>>(),
        "node_ports": ports.iter().filter_map(|p| p.get("nodePort").and_then(Value::as_i64)).collect::<Vec<_>>(),
        "external_ips": texts(service, "/spec/externalIPs").collect::<Vec<_>>(),
        "certificate": note(CERTIFICATE),
        "tls_ports": note(TLS_PORTS),
        "internal": note(SCHEME) == "internal" || note(INTERNAL) == "true",
        "source_ranges": texts(service, "/spec/loadBalancerSourceRanges").collect::<Vec<_>>(),
        "ends_tls": !note(CERTIFICATE).is_empty(),
    });
    let parts = [namespace(service), name(service)];
    context.document("kubernetes.service", &parts, facts, "kubernetes:list services")
}

/// One document an ingress.
#[must_use]
pub fn ingresses(context: &Context, objects: &Objects) -> Vec<Document> {
    objects.list("Ingress").iter().map(|i| ingress(context, i)).collect()
}

fn ingress(context: &Context, ingress: &Value) -> Document {
    let note = |key: &str| mark(ingress, "annotations", key).unwrap_or("");
    let certificate = note("alb.ingress.kubernetes.io/certificate-arn");
    let listens = note("alb.ingress.kubernetes.io/listen-ports");
    let by_tls = list(ingress, "/spec/tls").iter().any(|t| !t.is_null());
    let facts = json!({
        "cluster": context.cluster,
        "namespace": namespace(ingress),
        "name": name(ingress),
        "class": match text(ingress, "/spec/ingressClassName") {
            "" => note("kubernetes.io/ingress.class"),
            class => class,
        },
        "hosts": list(ingress, "/spec/rules").iter().map(|r| text(r, "/host")).filter(|h| !h.is_empty()).collect::<Vec<_>>(),
        "certificate": certificate,
        "listens": listens,
        "internal": note("alb.ingress.kubernetes.io/scheme") != "internet-facing",
        "ends_tls": by_tls || !certificate.is_empty() || listens.contains("HTTPS"),
    });
    let parts = [namespace(ingress), name(ingress)];
    context.document("kubernetes.ingress", &parts, facts, "kubernetes:list ingresses")
}

#[cfg(test)]
mod tests {
    use super::super::documents::tests::{context, facts_of};
    use super::*;

    #[test]
    fn a_load_balancer_ends_tls_if_it_has_a_certificate() {
        let with = |annotations: Value| {
            let object = json!({"kind": "Service", "metadata": {"name": "w", "annotations": annotations},
                "spec": {"type": "LoadBalancer", "ports": [{"port": 443}]}});
            facts_of(&services(&context(), &Objects::of([object])).remove(0))["ends_tls"].clone()
        };
        assert_eq!(with(json!({CERTIFICATE: "arn:aws:acm:x"})), true);
        assert_eq!(with(json!({})), false);
    }

    #[test]
    fn an_ingress_ends_tls_by_secret_certificate_or_listener() {
        let with = |annotations: Value, tls: Value| {
            let object =
                json!({"kind": "Ingress", "metadata": {"name": "w", "annotations": annotations}, "spec": {"tls": tls}});
            facts_of(&ingresses(&context(), &Objects::of([object])).remove(0))["ends_tls"].clone()
        };
        assert_eq!(with(json!({}), json!([{"secretName": "s"}])), true);
        assert_eq!(with(json!({"alb.ingress.kubernetes.io/certificate-arn": "arn:x"}), json!(null)), true);
        assert_eq!(with(json!({"alb.ingress.kubernetes.io/listen-ports": "[{\"HTTP\": 80}]"}), json!([])), false);
    }
}
