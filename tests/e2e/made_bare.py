"""The same distributions in their harder form: no tag, no telling name, only what the tool needs in order to work."""

from __future__ import annotations

import json

from made_clusters import (CAPA_HOOK, GARDENER, K0S, K0S_WORKER, K3S_AGENT, K3S_SERVER, KIND, KOPS_GROUPS, KOPS_SCRIPT, KUBEADM_INIT, KUBEADM_JOIN,
                           MICROK8S, MICROK8S_FIRST, NODEADM, OPENSHIFT_3, RKE1, RKE2_AGENT, RKE2_SERVER, TALOS, hosted, ignition, openshift, typhoon)  # fmt: skip
from making import WORLD, Made, Tier, classic_balancer, group, record, secret, tcp, udp

AL2 = "#!/bin/bash\nset -o xtrace\n/etc/eks/bootstrap.sh quiet --b64-cluster-ca LS0t --apiserver-endpoint https://AAAABBBBCCCCDDDD.gr7.us-east-1.eks.amazonaws.com\n"
BOTTLEROCKET = '[settings.kubernetes]\napi-server = "https://BBBBCCCCDDDDEEEE.gr7.us-east-1.eks.amazonaws.com"\ncluster-name = "rocket"\ncluster-certificate = "LS0t"\n'
WINDOWS = "<powershell>\n& $EKSBootstrapScriptFile -EKSClusterName panes -APIServerEndpoint https://CCCCDDDDEEEEFFFF.gr7.us-east-1.eks.amazonaws.com -Base64ClusterCA LS0t\n</powershell>"
EKSCTL = "#cloud-config\nwrite_files:\n- path: /etc/eksctl/kubelet.env\n  content: |\n    CLUSTER_NAME=web\n    API_SERVER_URL=https://DDDDEEEEFFFF0000.gr7.us-east-1.eks.amazonaws.com\nruncmd:\n- - /var/lib/cloud/scripts/eksctl/bootstrap.al2.sh\n"
KARPENTER = NODEADM.replace("    cidr:", "    cidr:").format(name="wind", end="EEEEFFFF00001111").replace("\n--B--", '  kubelet:\n    flags:\n    - --node-labels="karpenter.sh/capacity-type=spot,karpenter.sh/nodepool=default"\n\n--B--')
KUBE_AWS = "#!/bin/bash\naws s3 cp s3://b/kube-aws/clusters/c/exported/stacks/pool/userdata-{role}-abc /var/run/coreos/userdata-{role}\nexec /usr/bin/coreos-cloudinit --from-file /var/run/coreos/userdata-{role}\n"
GIANT_SWARM = json.dumps({"ignition": {"version": "2.2.0", "config": {"append": [{"source": "s3://123456789012-g8s-zz9qy/ignition/v_5/ROLE"}]}}})
KUBEONE = "#cloud-config\nwrite_files:\n- path: /opt/bin/supervise.sh\n  content: x\n- path: /etc/systemd/system/kubelet-healthcheck.service\n  content: x\nruncmd:\n- systemctl start setup.service\n- apt-get install -y kubelet kubeadm\n"
KUBESPRAY = "#!/bin/bash\ngit clone https://github.com/kubernetes-sigs/kubespray.git\ncat > inventory.ini <<EOF\n[kube_control_plane]\nlocalhost ansible_connection=local\n[kube_node]\nlocalhost\nEOF\nansible-playbook -i inventory.ini cluster.yml\n"
CAPI_INIT = "#cloud-config\nwrite_files:\n- path: /run/kubeadm/kubeadm.yaml\n  content: |\n    apiVersion: kubeadm.k8s.io/v1beta3\n    kind: ClusterConfiguration\n    clusterName: drift\n    controlPlaneEndpoint: drift.example.com:6443\n- path: /run/cluster-api/placeholder\n  content: x\nruncmd:\n- 'kubeadm init --config /run/kubeadm/kubeadm.yaml && echo success > /run/cluster-api/bootstrap-success.complete'\n"
CAPI_JOIN = "#cloud-config\nwrite_files:\n- path: /run/kubeadm/kubeadm-join-config.yaml\n  content: |\n    apiVersion: kubeadm.k8s.io/v1beta3\n    kind: JoinConfiguration\n    discovery:\n      bootstrapToken:\n        apiServerEndpoint: drift.example.com:6443\n- path: /run/cluster-api/placeholder\n  content: x\nruncmd:\n- 'kubeadm join --config /run/kubeadm/kubeadm-join-config.yaml && echo success > /run/cluster-api/bootstrap-success.complete'\n"
RANCHER = "#!/bin/bash\ncurl --insecure -fL https://rancher.example.com/system-agent-install.sh | sudo sh -s - --server https://rancher.example.com --token zyxwvutsrqponmlkjihgfedcba {roles}\n"

# What nodes join, and by which secret, must not be another cluster's.
K3S_SERVER, K3S_AGENT = (text.replace("k3s.example.com", "quiet.example.org") for text in (K3S_SERVER, K3S_AGENT))
RKE2_AGENT = RKE2_AGENT.replace("rke2.example.com", "still.example.org")
MICROK8S = MICROK8S.replace("92b2db237428470dc4fcfc4ebbd9dc81", "0f1e2d3c4b5a69788796a5b4c3d2e1f0")
TALOS = TALOS.replace("abcdef.0123456789abcdeg", "ghijkl.0123456789abcdeg")

BARE: dict[str, Made] = {
    "kops without tags": Made("kops", (Tier(1, {}, ("m",), KOPS_SCRIPT.format(role="ControlPlane").replace("k.example.com", "bare.example.org")), Tier(2, {}, ("n",), KOPS_SCRIPT.format(role="Node").replace("k.example.com", "bare.example.org"))), "bare.example.org", {"m": group("a1", rules=KOPS_GROUPS["masters"]["rules"][:1] + tuple((p, f, t, "n", s) for p, f, t, _, s in KOPS_GROUPS["masters"]["rules"][1:])), "n": group("a2")}, version="1.30.4", roles={"control_plane": 1, "worker": 2}, open=("api_server",)),
    "EKS nodes of Amazon Linux 2 without tags": Made("eks", (Tier(2, {}, (), AL2),), "quiet", roles={"worker": 2}, plane="managed"),
    "EKS nodes of Bottlerocket without tags": Made("eks", (Tier(2, {}, (), BOTTLEROCKET),), "rocket", roles={"worker": 2}, plane="managed"),
    "EKS nodes of Windows without tags": Made("eks", (Tier(2, {}, (), WINDOWS),), "panes", roles={"worker": 2}, plane="managed"),
    "EKS by eksctl without tags": Made("eks", (Tier(2, {}, (), EKSCTL),), "web", tool="eksctl", roles={"worker": 2}, plane="managed"),
    "EKS with Karpenter without tags": Made("eks", (Tier(2, {}, (), KARPENTER),), "wind", tool="karpenter", roles={"worker": 2}, plane="managed"),
    "EKS nodes by role and image alone": Made("eks", (Tier(2, {}, (), "", "bottlerocket-aws-k8s-1.30-x86_64-v1.20.0", role=("plain", "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy")),), None, version="1.30", roles={"worker": 2}, plane="managed"),
    "kubeadm by hand": Made("kubeadm", (Tier(1, {}, ("k",), KUBEADM_INIT, address="10.0.0.10"), Tier(2, {}, ("k",), KUBEADM_JOIN)), None, {"k": group("hand-made", rules=(tcp(6443), tcp(10250), tcp(2379, 2380)))}, version="1.31.2", roles={"control_plane": 1, "worker": 2}),
    "kubeadm by inventory and ports": Made("kubeadm", (Tier(1, {}, ("c",), programs={"kubeadm": "1.30.6", "kubelet": "1.30.6"}), Tier(2, {}, ("w",), programs={"kubelet": "1.30.6", "kubeadm": "1.30.6"})), None, {"c": group("x1", rules=(tcp(6443, source=WORLD), tcp(2379, 2380))), "w": group("x2", rules=(tcp(10250, source="c"),))}, version="1.30.6", roles={"control_plane": 1, "worker": 2}, open=("api_server",), around=(classic_balancer("front", (6443, 6443)),)),
    "kubeadm behind a classic load balancer by a DNS name": Made("kubeadm", (Tier(2, {}, ("k",), "apt-get install -y kubeadm kubelet\n$(aws ssm get-parameter --name /join --output text)\n"), Tier(2, {}, ("k",), "kubeadm join cp.hand.example.net:6443 --discovery-token-ca-cert-hash sha256:00\n")), None, {"k": group("hand", rules=(tcp(6443, source="10.0.0.0/8"), tcp(10250)))}, roles={"control_plane": 2, "worker": 2}, around=(classic_balancer("in-front", (6443, 6443), behind=slice(0, 2)), record("hand.example.net", "cp.hand.example.net", "classic in-front", "CNAME"))),
    "kubespray without tags": Made("kubespray", (Tier(1, {}, (), KUBESPRAY),), None, roles={"control_plane": 1}),
    "kubespray by names alone": Made("kubespray", (Tier(1, {"Name": "kubernetes-sand-master0"}, ("k",)), Tier(2, {"Name": "kubernetes-sand-worker0"}, ("k",)), Tier(1, {"Name": "kubernetes-sand-etcd1"}, ("k",))), "sand", {"k": group("kubernetes-sand-securitygroup")}, roles={"control_plane": 1, "worker": 2, "etcd": 1}),
    "k3s by hand": Made("k3s", (Tier(1, {}, ("k",), K3S_SERVER), Tier(2, {}, ("k",), K3S_AGENT)), None, {"k": group("shared", rules=(tcp(6443), udp(8472)))}, version="1.30.2+k3s1", roles={"control_plane": 1, "worker": 2}),
    "k3s by ports alone": Made("k3s", (Tier(1, {}, ("k",)),), None, {"k": group("y1", rules=(tcp(6443, source=WORLD), udp(8472)))}, roles={"unknown": 1}, plane="", open=("api_server",)),
    "RKE without tags": Made("rke", (Tier(3, {}, ("k",), RKE1),), None, {"k": group("z1", rules=(tcp(6443), tcp(2379, 2380), tcp(10250)))}, version="1.24.17", plane=""),
    "RKE2 by hand": Made("rke2", (Tier(1, {}, ("k",), RKE2_SERVER), Tier(2, {}, ("k",), RKE2_AGENT)), None, {"k": group("z2", rules=(tcp(6443), tcp(9345, source=WORLD)))}, version="1.29.6+rke2r1", roles={"control_plane": 1, "worker": 2}, open=("join",)),
    "RKE2 by ports alone": Made("rke2", (Tier(1, {}, ("k",)),), None, {"k": group("z3", rules=(tcp(6443), tcp(9345)))}, roles={"unknown": 1}, plane=""),
    "Rancher by its agent": Made("rancher", (Tier(1, {}, (), RANCHER.format(roles="--etcd --controlplane")), Tier(1, {}, (), RANCHER.format(roles="--worker"))), None, roles={"control_plane": 1, "worker": 1}),
    "Rancher's own server": Made("rancher", (Tier(1, {}, (), "#!/bin/bash\ndocker run -d --restart=unless-stopped -p 80:80 -p 443:443 --privileged rancher/rancher:latest\n"),), None, roles={"control_plane": 1}),
    "OpenShift 3 without tags": Made("openshift-3", (Tier(1, {}, ("m",), OPENSHIFT_3.format(role="master")), Tier(1, {}, ("m",), OPENSHIFT_3.format(role="compute"))), None, {"m": group("z4", rules=(tcp(8443), tcp(10250)))}, roles={"control_plane": 1, "worker": 1}),
    "OpenShift 4 without tags": Made("openshift", (Tier(1, {}, ("m",), openshift("api-int.bare.example.org", "master")), Tier(2, {}, ("m",), openshift("api-int.bare.example.org", "worker"))), "bare", {"m": group("z5", rules=(tcp(22623), tcp(6443)))}, roles={"control_plane": 1, "worker": 2}),
    "ROSA without tags": Made("rosa", (Tier(2, {}, (), hosted("ignition-server.quiet-r1.x1y2.p3.openshiftapps.com"), role=("quiet-r1-HCP-ROSA-Worker-Role",)),), None, roles={"worker": 2}, plane="elsewhere"),
    "Talos without tags": Made("talos", (Tier(1, {}, ("k",), TALOS.format(role="controlplane", name="iron")), Tier(2, {}, ("k",), TALOS.format(role="worker", name="iron"))), "iron", {"k": group("z6", rules=(tcp(50000), tcp(6443)))}, version="1.31.1", roles={"control_plane": 1, "worker": 2}),
    "MicroK8s without tags": Made("microk8s", (Tier(1, {}, ("k",), MICROK8S_FIRST, address="10.0.0.9"), Tier(2, {}, ("k",), MICROK8S)), None, {"k": group("z7", rules=(tcp(25000),))}, version="1.31", roles={"control_plane": 1, "worker": 2}),
    "MicroK8s by ports alone": Made("microk8s", (Tier(1, {}, ("k",)),), None, {"k": group("z8", rules=(tcp(16443, source=WORLD), tcp(25000)))}, roles={"unknown": 1}, plane="", open=("api_server",)),
    "k0s without tags": Made("k0s", (Tier(1, {}, ("k",), K0S), Tier(2, {}, ("k",), K0S_WORKER)), None, {"k": group("z9", rules=(tcp(6443),))}, version="1.30.1+k0s.0", roles={"control_plane": 1, "worker": 2}),
    "Cluster API without tags": Made("cluster-api", (Tier(1, {}, ("c",), CAPI_INIT), Tier(2, {}, ("c",), CAPI_JOIN)), "drift", {"c": group("c1")}, roles={"control_plane": 1, "worker": 2}),
    "Cluster API by its boothook": Made("cluster-api", (Tier(2, {}, (), CAPA_HOOK),), None, plane="", around=(secret("aws.cluster.x-k8s.io/0b7f2c1e-1"),)),
    "Gardener without tags": Made("gardener", (Tier(2, {}, ("n",), GARDENER, key="shoot--dev--fern-ssh-publickey"),), "shoot--dev--fern", {"n": group("n1")}, roles={"worker": 2}, plane="elsewhere"),
    "Giant Swarm without tags": Made("giant-swarm", (Tier(1, {}, (), GIANT_SWARM.replace("ROLE", "master")), Tier(2, {}, (), GIANT_SWARM.replace("ROLE", "worker"))), "zz9qy", roles={"control_plane": 1, "worker": 2}),
    "KubeOne without tags": Made("kubeone", (Tier(2, {}, ("c",), KUBEONE),), None, {"c": group("c2")}, roles={"worker": 2}, plane=""),
    "kube-aws without tags": Made("kube-aws", (Tier(1, {}, ("c",), KUBE_AWS.format(role="controller")), Tier(1, {}, ("c",), KUBE_AWS.format(role="etcd")), Tier(1, {}, ("c",), KUBE_AWS.format(role="worker"))), None, {"c": group("c3")}, roles={"control_plane": 1, "worker": 1, "etcd": 1}),
    "Tectonic without tags": Made("tectonic", (Tier(1, {}, ("c",), ignition("tectonic.service", "init-assets.service", "kubelet.service")),), None, {"c": group("c4")}, roles={"control_plane": 1}),
    "Typhoon without names": Made("typhoon", (Tier(1, {}, ("c",), typhoon(True)), Tier(2, {}, ("c",), typhoon(False))), None, {"c": group("c5", rules=(tcp(6443),))}, version="1.31.2", roles={"control_plane": 1, "worker": 2}),
    "kind without a name": Made("local-vm", (Tier(1, {}, (), KIND),), version="1.29.2", roles={"control_plane": 1}),
}  # fmt: skip
