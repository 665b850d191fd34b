//! User data of each form, and what may be known by it: what it says, no default, no secret.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use picket_checks::user_data::decode_raw;
use serde_json::json;

use super::*;

const WHY: &str = "Systems Manager does not know it; its user data does not say it";

fn said(text: &str) -> Value {
    facts(&decode_raw(text.as_bytes().to_vec()), WHY).unwrap_or_default()
}

fn kubelet(text: &str) -> Value {
    said(text)["kubelet"]["effective"].clone()
}

#[test]
fn the_extra_arguments_of_eks_bootstrap_are_the_kubelets() {
    let line = "/etc/eks/bootstrap.sh prod --apiserver-endpoint https://x \\\n --kubelet-extra-args '--read-only-port=0 --node-labels=\"a=b,c=d\" --anonymous-auth=false'\n";
    let expected = json!({"anonymous_auth": false, "read_only_port": 0});
    assert_eq!(kubelet(&format!("#!/bin/bash\nset -e\n{line}")), expected);
    let mime = format!(
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"//\"\n\n--//\nContent-Type: text/x-shellscript\n\n#!/bin/bash\necho hello\n\n--//\nContent-Type: text/x-shellscript\n\n#!/bin/bash -xe\n{line}\n--//--\n"
    );
    assert_eq!(kubelet(&mime), expected);
    let named = "#!/bin/bash\nARGS='--read-only-port=0'\n/etc/eks/bootstrap.sh prod --kubelet-extra-args \"$ARGS\"\n";
    assert_eq!(kubelet(named), json!({"read_only_port": 0}));
}

#[test]
fn what_a_variable_or_a_condition_decides_is_not_known() {
    for text in [
        "#!/bin/bash\n/etc/eks/bootstrap.sh prod --kubelet-extra-args \"--read-only-port=0 $MORE\"\n",
        "#!/bin/bash\n/etc/eks/bootstrap.sh prod --kubelet-extra-args \"$(curl -s http://x)\"\n",
        "#!/bin/bash\nif [ -n \"$OLD\" ]; then\n  /etc/eks/bootstrap.sh prod --kubelet-extra-args '--read-only-port=0'\nfi\n",
        "#!/bin/bash\n[ -n \"$OLD\" ] && /etc/eks/bootstrap.sh prod --kubelet-extra-args '--read-only-port=0'\n",
        "#!/bin/bash\n# /etc/eks/bootstrap.sh prod --kubelet-extra-args '--read-only-port=0'\n",
        "#!/bin/bash\nA=1\nA=2\n/etc/eks/bootstrap.sh prod --kubelet-extra-args \"--event-qps=${A}\"\n",
    ] {
        assert_eq!(facts(&decode_raw(text.as_bytes().to_vec()), WHY), None, "{text}");
    }
}

#[test]
fn nodeadms_configurations_lie_over_one_another_and_flags_beat_them() {
    let mime = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"//\"\n\n--//\nContent-Type: application/node.eks.aws\n\n---\n\
        apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  cluster: {name: prod, certificateAuthority: Q0E=}\n  kubelet:\n    config:\n      readOnlyPort: 10255\n      podPidsLimit: 100\n\n\
        --//\nContent-Type: application/node.eks.aws\n\napiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  kubelet:\n    config:\n      readOnlyPort: 0\n    flags:\n    - --pod-max-pids=4096\n    - --node-labels=a=b\n\n--//--\n";
    assert_eq!(kubelet(mime), json!({"pod_pids_limit": 4096, "read_only_port": 0}));
}

#[test]
fn bottlerockets_settings_are_the_kubelets_and_its_own() {
    let pod = "kind: Pod\nspec:\n  containers:\n  - command: [kube-scheduler, --profiling=false]\n";
    let text = format!(
        "[settings.kubernetes]\ncluster-name = 'prod'\ncluster-certificate = 'Q0E='\nseccomp-default = true\nevent-qps = 5\n\n\
         [settings.kubernetes.static-pods.s]\nenabled = true\nmanifest = '{}'\n\n[settings.kernel]\nlockdown = 'integrity'\n\
         [settings.host-containers.admin]\nuser-data = 'c2VjcmV0'\n",
        STANDARD.encode(pod)
    );
    let facts = said(&text);
    assert_eq!(facts["kubelet"]["effective"], json!({"event_qps": 5, "seccomp_default": true}));
    assert_eq!(facts["bottlerocket"], json!({"here": true, "settings": {"kernel": {"lockdown": "integrity"}}}));
    assert_eq!(
        facts["processes"]["/etc/kubernetes/static-pods/s"]["argv"],
        json!(["kube-scheduler", "--profiling=false"])
    );
    assert!(!facts.to_string().contains("c2VjcmV0"));
}

#[test]
fn files_of_cloud_init_are_known_with_their_modes_and_read_by_what_they_are() {
    let config = "kind: KubeletConfiguration\nreadOnlyPort: 0\nauthentication:\n  anonymous:\n    enabled: false\n";
    let text = format!(
        "#cloud-config\nwrite_files:\n- path: /var/lib/kubelet/config.yaml\n  permissions: '0600'\n  owner: root:root\n  encoding: b64\n  content: {}\n\
         - path: /etc/kubernetes/manifests/kube-apiserver.yaml\n  permissions: '0644'\n  content: |\n    kind: Pod\n    spec:\n      containers:\n      - command:\n        - kube-apiserver\n        - --anonymous-auth=true\n        - --service-account-signing-key-file=/pki/sa.key\n        - --oidc-client-secret=hunter2hunter2\n\
         - path: /etc/default/kubelet\n  content: KUBELET_EXTRA_ARGS=\"--event-qps=7\"\n\
         - path: /etc/docker/daemon.json\n  content: '{{\"icc\": false}}'\n\
         - path: /etc/other\n  append: true\n  permissions: '0777'\n  content: x\n",
        STANDARD.encode(config)
    );
    let facts = said(&text);
    assert_eq!(facts["kubelet"]["effective"], json!({"anonymous_auth": false, "event_qps": 7, "read_only_port": 0}));
    assert_eq!(
        facts["files"],
        json!({
            "/etc/kubernetes/manifests/kube-apiserver.yaml": {"mode": 0o644, "kind": "file"},
            "/var/lib/kubelet/config.yaml": {"mode": 0o600, "owner": "root", "group": "root", "kind": "file"},
        })
    );
    assert_eq!(facts["docker"], json!({"daemon": {"icc": false}}));
    let argv = facts["processes"]["/etc/kubernetes/manifests/kube-apiserver.yaml"]["argv"].to_string();
    assert!(argv.contains("--service-account-signing-key-file=/pki/sa.key") && !argv.contains("hunter2"), "{argv}");
}

#[test]
fn kubeadms_configuration_says_some_of_what_components_are_given() {
    let text = "#!/bin/bash\ncat > /root/kubeadm.yaml <<'EOF'\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\napiServer:\n  extraArgs:\n  - name: anonymous-auth\n    value: \"false\"\netcd:\n  local:\n    extraArgs: {}\n---\nkind: InitConfiguration\nnodeRegistration:\n  kubeletExtraArgs:\n  - {name: event-qps, value: \"9\"}\n---\nkind: KubeletConfiguration\nprotectKernelDefaults: true\nEOF\nchmod 600 /root/kubeadm.yaml\nkubeadm init --config /root/kubeadm.yaml\n";
    let facts = said(text);
    assert_eq!(facts["kubernetes"]["said"], json!({"kube-apiserver": {"anonymous-auth": "false"}}));
    assert_eq!(facts["kubelet"]["effective"], json!({"event_qps": 9, "protect_kernel_defaults": true}));
    assert_eq!(facts["files"]["/root/kubeadm.yaml"]["mode"], 0o600);
}

#[test]
fn an_older_kops_says_its_whole_specification_and_a_newer_one_its_hash() {
    let old = "#!/bin/bash\ncat > cluster_spec.yaml << '__EOF_CLUSTER_SPEC'\ndocker:\n  ipTables: false\n  logDriver: json-file\nkubeAPIServer:\n  anonymousAuth: true\n  authorizationMode: AlwaysAllow\n  basicAuthFile: /srv/kubernetes/basic_auth.csv\n  insecurePort: 8080\nkubelet:\n  anonymousAuth: false\n  podInfraContainerImage: pause\nmasterKubelet:\n  anonymousAuth: true\n  readOnlyPort: 10255\n\n__EOF_CLUSTER_SPEC\ndownload-release\n";
    let facts = said(old);
    let server = &facts["kubernetes"]["said"]["kube-apiserver"];
    assert_eq!((&server["insecure-port"], &server["authorization-mode"]), (&json!("8080"), &json!("AlwaysAllow")));
    assert_eq!(
        facts["kubelet"]["effective"],
        json!({"read_only_port": 10255}),
        "masters' and others' kubelets differ in the rest"
    );
    assert_eq!(facts["docker"]["flags"], json!({"iptables": ["false"], "log-driver": ["json-file"]}));
    let new = "#!/bin/bash\ncat > conf/kube_env.yaml << '__EOF_KUBE_ENV'\nCloudProvider: aws\nClusterName: k.example.com\nNodeupConfigHash: MLZx=\n\n__EOF_KUBE_ENV\n";
    assert_eq!(facts_of(new), None);
}

fn facts_of(text: &str) -> Option<Value> {
    facts(&decode_raw(text.as_bytes().to_vec()), WHY)
}

#[test]
fn k3s_and_rke2_hand_arguments_on() {
    let install = "#!/bin/sh\ncurl -sfL https://get.k3s.io | K3S_TOKEN=topsecret INSTALL_K3S_EXEC='server --kubelet-arg=read-only-port=0 --kube-apiserver-arg anonymous-auth=false --write-kubeconfig-mode 644' sh -\n";
    let facts = said(install);
    assert_eq!(facts["kubelet"]["effective"], json!({"read_only_port": 0}));
    assert_eq!(facts["kubernetes"]["said"]["kube-apiserver"], json!({"anonymous-auth": "false"}));
    assert_eq!(facts["files"]["/etc/rancher/k3s/k3s.yaml"]["mode"], 0o644);
    assert!(!facts.to_string().contains("topsecret"));
    let config = "#cloud-config\nwrite_files:\n- path: /etc/rancher/rke2/config.yaml\n  content: |\n    token: topsecret\n    protect-kernel-defaults: true\n    kubelet-arg: [event-qps=0]\n";
    let facts = said(config);
    assert_eq!(facts["kubelet"]["effective"], json!({"event_qps": 0, "protect_kernel_defaults": true}));
    assert!(!facts.to_string().contains("topsecret"));
}

#[test]
fn ignition_says_files_and_units() {
    let config = "kind: KubeletConfiguration\nreadOnlyPort: 0\n";
    let text = json!({
        "ignition": {"version": "3.4.0"},
        "storage": {"files": [{"path": "/etc/kubernetes/kubelet.yaml", "mode": 384, "contents": {"source": format!("data:;base64,{}", STANDARD.encode(config))}}]},
        "systemd": {"units": [{"name": "kubelet.service", "contents": "[Service]\nExecStart=/usr/bin/kubelet \\\n  --anonymous-auth=false \\\n  --config=/x\n"}]},
    });
    let facts = said(&text.to_string());
    assert_eq!(facts["kubelet"]["effective"], json!({"anonymous_auth": false, "read_only_port": 0}));
    assert_eq!(facts["files"]["/etc/kubernetes/kubelet.yaml"]["mode"], 0o600);
}

#[test]
fn hostile_text_says_nothing_and_breaks_nothing() {
    for text in [
        "",
        "#cloud-config\n\t: [",
        "{\"ignition\": 1",
        "<<EOF",
        "cat <<EOF > /etc/x\nnever ended",
        "#!/bin/sh\necho 'open\n",
        "[settings\n",
        "[settings]\nkubernetes = 1\n",
        "kind: NodeConfig\nspec: 7\n",
    ] {
        assert_eq!(facts_of(text), None, "{text}");
    }
}

/// Files that others wrote, labelled by the tool they came from; none where the folder is not there.
#[test]
fn fixtures_of_the_tools_themselves_are_read_and_tell_no_secret() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/events/userdata");
    let Ok(manifest) = fs::read_to_string(folder.join("MANIFEST.jsonl")) else { return };
    let (mut read, mut spoke) = (0, Vec::new());
    for row in manifest.lines().skip(1).filter_map(|l| serde_json::from_str::<Value>(l).ok()) {
        let file = row["file"].as_str().unwrap_or_default();
        let Ok(raw) = fs::read(folder.join(file)) else { continue };
        read += 1;
        if let Some(facts) = facts(&decode_raw(raw), WHY) {
            assert_eq!(row["is_kubernetes"], true, "{file} is no node: {facts}");
            assert!(!facts.to_string().contains("BEGIN"), "{file}: {facts}");
            spoke.push(file.to_owned());
        }
    }
    assert!(read > 100, "{read} of them were read");
    let tools: std::collections::BTreeSet<_> = spoke.iter().filter_map(|f| f.split('/').next()).collect();
    assert_eq!(tools.into_iter().collect::<Vec<_>>(), ["eksctl", "karpenter-eks"], "{spoke:?}");
}
