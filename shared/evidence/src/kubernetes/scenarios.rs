//! Whole control planes as evidence: a kops 1.10 master as its users found it (kubernetes/kops#6150), and a hardened one.
#![allow(clippy::unwrap_used, reason = "a test file: what is missing fails the test that wanted it")]

use std::collections::BTreeSet;

use picket_checks::benchmarks::{self, By};
use picket_checks::rules::{Evidence, catalogue, judge_all};
use picket_model::Document;
use serde_json::{Value, json};

use super::documents::tests::context;
use super::{Objects, documents, from_node};

/// The controls of a benchmark whose rules came to `word` for at least one document.
pub(super) fn controls(benchmark: &str, word: &str, documents: &[Document]) -> BTreeSet<String> {
    let rules = catalogue::built_in().unwrap();
    let mut evidence = Evidence::default();
    evidence.add(documents.iter().cloned());
    let judged: Vec<_> = judge_all(rules.iter(), &evidence).iter().map(|j| j.evaluation()).collect();
    let all = benchmarks::built_in().unwrap();
    let is = |rule: &String| judged.iter().any(|e| e.rule == *rule && e.outcome.word() == word);
    let found = all.get(benchmark).unwrap().controls.iter().filter(|c| match &c.by {
        By::Rules(rules) => rules.iter().any(is),
        _ => false,
    });
    found.map(|c| c.id.clone()).collect()
}

fn ids(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(ToOwned::to_owned).collect()
}

pub(super) fn words(line: &str) -> Value {
    line.split_whitespace().collect::<Vec<_>>().into()
}

fn static_pod(program: &str, command: Value) -> Value {
    json!({
        "kind": "Pod",
        "metadata": {"name": format!("{program}-ip-172-20-1-1"), "namespace": "kube-system",
            "annotations": {"kubernetes.io/config.mirror": "x"}},
        "spec": {"nodeName": "ip-172-20-1-1", "hostNetwork": true,
            "containers": [{"name": program, "image": format!("k8s.gcr.io/{program}:v1.10.3"), "command": command}]},
    })
}

/// kops ran its components in a shell, so that their logs could be kept.
fn in_a_shell(line: &str) -> Value {
    json!([
        "/bin/sh",
        "-c",
        format!("mkfifo /tmp/pipe; (tee -a /var/log/x.log < /tmp/pipe & ) ; exec {line} > /tmp/pipe 2>&1")
    ])
}

pub(super) fn node(value: Value) -> Document {
    Document { id: "i-0123456789abcdef0".to_owned(), ..context().document("node", &[], value, "ssm:SendCommand") }
}

fn kops_1_10() -> Vec<Document> {
    let server = "/usr/local/bin/kube-apiserver --address=127.0.0.1 --allow-privileged=true \
        --admission-control=Initializers,NamespaceLifecycle,LimitRanger,ServiceAccount,DefaultStorageClass,NodeRestriction,ResourceQuota \
        --anonymous-auth=false --authorization-mode=AlwaysAllow --basic-auth-file=/srv/kubernetes/basic_auth.csv \
        --client-ca-file=/srv/kubernetes/ca.crt --etcd-servers=http://127.0.0.1:4001 --insecure-bind-address=127.0.0.1 \
        --insecure-port=8080 --secure-port=443 --tls-cert-file=/srv/kubernetes/server.cert \
        --tls-private-key-file=/srv/kubernetes/server.key --token-auth-file=/srv/kubernetes/known_tokens.csv --v=2";
    let manager = "/usr/local/bin/kube-controller-manager --leader-elect=true --root-ca-file=/srv/kubernetes/ca.crt \
        --service-account-private-key-file=/srv/kubernetes/server.key --use-service-account-credentials=true --v=2";
    let etcd = "/usr/local/bin/etcd --listen-client-urls=http://0.0.0.0:4001 --data-dir=/var/etcd/data";
    let objects = Objects::of([
        static_pod("kube-apiserver", in_a_shell(server)),
        static_pod("kube-controller-manager", in_a_shell(manager)),
        static_pod("kube-scheduler", in_a_shell("/usr/local/bin/kube-scheduler --leader-elect=true --v=2")),
        static_pod("etcd", in_a_shell(etcd)),
    ]);
    let kubelet = "/usr/local/bin/kubelet --allow-privileged=true --cgroup-root=/ --cloud-provider=aws \
        --enable-debugging-handlers=true --hostname-override=ip-172-20-1-1.ec2.internal \
        --kubeconfig=/var/lib/kubelet/kubeconfig --pod-manifest-path=/etc/kubernetes/manifests --v=2";
    let file = |mode: i64| json!({"mode": mode, "owner": "root", "group": "root"});
    let host = node(json!({
        "cluster": "prod",
        "processes": {"kubelet": {"argv": words(kubelet)}, "kube-apiserver": {"argv": words(&server.replace("\\\n", " "))}},
        "files": {
            "/etc/kubernetes/manifests/kube-apiserver.manifest": file(0o644),
            "/var/lib/kubelet/kubeconfig": file(0o644),
        },
    }));
    let mut made = documents(&context(), &objects);
    made.extend(from_node::documents(&host));
    made
}

#[test]
fn a_kops_1_10_master_fails_what_its_users_found() {
    let documents = kops_1_10();
    let failed = controls("cis-kubernetes-2.0.1", "fail", &documents);
    // The kubelet's section of the report: anonymous, AlwaysAllow, no client CA, read-only port, hostname, certificates;
    // only iptables was well. Where the report fails an unset timeout and rate, we know their defaults.
    let kubelet: BTreeSet<String> = failed.iter().filter(|c| c.starts_with("4.2.")).cloned().collect();
    assert_eq!(kubelet, ids("4.2.1 4.2.2 4.2.3 4.2.4 4.2.7 4.2.9 4.2.12 4.2.13 4.2.14"));
    let server: BTreeSet<String> = failed.iter().filter(|c| c.starts_with("1.2.")).cloned().collect();
    let expected = "1.2.2 1.2.3 1.2.4 1.2.5 1.2.6 1.2.7 1.2.8 1.2.9 1.2.11 1.2.15 1.2.16 1.2.17 1.2.18 1.2.19 1.2.22 \
        1.2.23 1.2.26 1.2.27 1.2.28 1.2.29 1.2.30";
    assert_eq!(server, ids(expected));
    for control in
        ["1.1.1", "1.3.1", "1.3.2", "1.3.7", "1.4.1", "1.4.2", "2.1", "2.2", "2.4", "2.5", "2.7", "3.2.1", "4.1.5"]
    {
        assert!(failed.contains(control), "{control}");
    }
    let legacy = controls("kubernetes-legacy", "fail", &documents);
    for control in ["1.2.2", "1.2.3", "1.2.7", "1.2.18", "1.2.19"] {
        assert!(legacy.contains(control), "legacy {control}");
    }
}

/// Flags that every server and kubelet of a hardened cluster has.
const SERVER: &str = "kube-apiserver --anonymous-auth=false --audit-log-maxage=30 --audit-log-maxbackup=10 \
    --audit-log-maxsize=100 --audit-log-path=/var/log/audit.log --audit-policy-file=/etc/kubernetes/audit.yaml \
    --authorization-mode=Node,RBAC --client-ca-file=/etc/kubernetes/pki/ca.crt \
    --enable-admission-plugins=AlwaysPullImages,DenyServiceExternalIPs,EventRateLimit,NodeRestriction \
    --encryption-provider-config=/etc/kubernetes/enc.yaml --etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt \
    --etcd-certfile=/etc/kubernetes/pki/apiserver-etcd-client.crt --etcd-keyfile=/etc/kubernetes/pki/apiserver-etcd-client.key \
    --kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt --kubelet-client-certificate=/etc/kubernetes/pki/a.crt \
    --kubelet-client-key=/etc/kubernetes/pki/a.key --profiling=false --service-account-extend-token-expiration=false \
    --service-account-key-file=/etc/kubernetes/pki/sa.pub --tls-cert-file=/etc/kubernetes/pki/apiserver.crt \
    --tls-cipher-suites=TLS_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 \
    --tls-private-key-file=/etc/kubernetes/pki/apiserver.key";
const MANAGER: &str = "kube-controller-manager --bind-address=127.0.0.1 --profiling=false \
    --root-ca-file=/etc/kubernetes/pki/ca.crt --service-account-private-key-file=/etc/kubernetes/pki/sa.key \
    --terminated-pod-gc-threshold=10 --use-service-account-credentials=true";
const ETCD: &str = "etcd --cert-file=/e/server.crt --key-file=/e/server.key --client-cert-auth=true --data-dir=/var/lib/etcd \
    --peer-cert-file=/e/peer.crt --peer-key-file=/e/peer.key --peer-client-cert-auth=true --trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt";

fn hardened() -> Vec<Document> {
    let kept = |mode: i64, owner: &str| json!({"mode": mode, "owner": owner, "group": owner});
    let private = || kept(0o600, "root");
    let host = node(json!({
        "cluster": "prod",
        "processes": {
            "etcd": {"argv": words(ETCD)},
            "kube-apiserver": {"argv": words(SERVER)},
            "kube-controller-manager": {"argv": words(MANAGER)},
            "kube-proxy": {"argv": words("kube-proxy --metrics-bind-address=127.0.0.1:10249 --kubeconfig=/var/lib/kube-proxy/kubeconfig.conf")},
            "kube-scheduler": {"argv": words("kube-scheduler --bind-address=127.0.0.1 --profiling=false")},
            "kubelet": {"argv": words("kubelet --config=/var/lib/kubelet/config.yaml --kubeconfig=/etc/kubernetes/kubelet.conf")},
        },
        "kubelet": {"config": {
            "authentication": {"anonymous": {"enabled": false}, "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"}},
            "authorization": {"mode": "Webhook"}, "podPidsLimit": 4096, "rotateCertificates": true, "seccompDefault": true,
            "serverTLSBootstrap": true, "tlsCipherSuites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
        }},
        "kubernetes": {
            "encryption_config": {"resources": [{"resources": ["secrets"], "providers": [{"secretbox": {}}, {"identity": {}}]}]},
            "audit_policy": {"rules": [{"level": "Metadata"}]},
        },
        "files": {
            "/etc/cni/net.d/10-calico.conflist": private(),
            "/etc/kubernetes/admin.conf": private(),
            "/etc/kubernetes/controller-manager.conf": private(),
            "/etc/kubernetes/kubelet.conf": private(),
            "/etc/kubernetes/manifests/etcd.yaml": private(),
            "/etc/kubernetes/manifests/kube-apiserver.yaml": private(),
            "/etc/kubernetes/manifests/kube-controller-manager.yaml": private(),
            "/etc/kubernetes/manifests/kube-scheduler.yaml": private(),
            "/etc/kubernetes/pki/ca.crt": kept(0o644, "root"),
            "/etc/kubernetes/pki/ca.key": private(),
            "/etc/kubernetes/scheduler.conf": private(),
            "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf": private(),
            "/var/lib/etcd": kept(0o700, "etcd"),
            "/var/lib/kube-proxy/kubeconfig.conf": private(),
            "/var/lib/kubelet/config.yaml": private(),
        },
    }));
    from_node::documents(&host)
}

#[test]
fn a_hardened_node_passes_every_control_of_its_sections() {
    let documents = hardened();
    assert_eq!(controls("cis-kubernetes-2.0.1", "fail", &documents), BTreeSet::new());
    assert_eq!(controls("cis-kubernetes-2.0.1", "unknown", &documents), BTreeSet::new());
    let passed = controls("cis-kubernetes-2.0.1", "pass", &documents);
    let all = benchmarks::built_in().unwrap().get("cis-kubernetes-2.0.1").unwrap();
    let of_nodes = |id: &str| !id.starts_with("5.") && !id.starts_with("3.1.");
    let missing: Vec<&str> =
        all.controls.iter().map(|c| c.id.as_str()).filter(|id| of_nodes(id) && !passed.contains(*id)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn every_control_is_there_and_only_six_are_for_a_person() {
    let all = benchmarks::built_in().unwrap();
    let decides = |rule: &str| catalogue::built_in().unwrap().get(rule).is_some_and(|r| !r.evidence_only);
    let coverage = all.get("cis-kubernetes-2.0.1").unwrap().coverage(decides);
    assert_eq!((coverage.total, coverage.evaluated, coverage.manual, coverage.pending), (131, 125, 6, 0));
}
