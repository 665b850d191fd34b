"""One cluster of each distribution, as its installer leaves it: tags, groups, user data, images, scaling groups, and what
stands around it. The bare forms of the same, without a tag, are in `made_bare.py`; what looks like one in `made_decoys.py`.
"""

from __future__ import annotations

import gzip
import json

from making import SELF as SELF  # noqa: F401 - for those who read rows
from making import WORLD, Made, Tier, bucket, classic_balancer, eks, group, owned, parameter, record, secret, shared_subnet, tcp, udp

KOPS = "k.example.com"
KOPS_SCRIPT = """#!/bin/bash
NODEUP_URL_AMD64=https://artifacts.k8s.io/binaries/kops/1.30.1/linux/amd64/nodeup
echo "== nodeup node config starting =="
cat > conf/kube_env.yaml << '__EOF_KUBE_ENV'
ClusterName: k.example.com
InstanceGroupRole: {role}
kubernetesVersion: 1.30.4
__EOF_KUBE_ENV
./nodeup --install-systemd-unit --conf=/opt/kops/conf/kube_env.yaml --v=8
"""
NODEADM = """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="B"

--B
Content-Type: application/node.eks.aws

apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  cluster:
    name: {name}
    apiServerEndpoint: https://{end}.gr7.us-east-1.eks.amazonaws.com
    certificateAuthority: Q0E=
    cidr: 10.100.0.0/16

--B--
"""
KUBEADM_INIT = """#!/bin/bash
curl -fsSL https://pkgs.k8s.io/core:/stable:/v1.31/deb/Release.key | gpg --dearmor -o /etc/apt/keyrings/k8s.gpg
apt-get install -y kubelet kubeadm
kubeadm init --kubernetes-version v1.31.2 --pod-network-cidr=10.244.0.0/16 --control-plane-endpoint=10.0.0.10:6443
"""
KUBEADM_JOIN = """#!/bin/bash
apt-get install -y kubelet kubeadm
kubeadm join 10.0.0.10:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:00
"""
K3S_SERVER = "#!/bin/sh\ncurl -sfL https://get.k3s.io | INSTALL_K3S_VERSION=v1.30.2+k3s1 K3S_TOKEN=secret INSTALL_K3S_EXEC='server --tls-san k3s.example.com' sh -\n"
K3S_AGENT = "#!/bin/sh\ncurl -sfL https://get.k3s.io | K3S_URL=https://k3s.example.com:6443 K3S_TOKEN=secret sh -\n"
RKE2_SERVER = "#!/bin/sh\nmkdir -p /etc/rancher/rke2\necho 'token: t' > /etc/rancher/rke2/config.yaml\ncurl -sfL https://get.rke2.io | INSTALL_RKE2_VERSION=v1.29.6+rke2r1 sh -\nsystemctl enable --now rke2-server\n"
RKE2_AGENT = "#!/bin/sh\nmkdir -p /etc/rancher/rke2\nprintf 'server: https://rke2.example.com:9345\\ntoken: t\\n' > /etc/rancher/rke2/config.yaml\ncurl -sfL https://get.rke2.io | INSTALL_RKE2_TYPE=agent sh -\nsystemctl enable --now rke2-agent\n"
RKE1 = "#!/bin/sh\ncurl https://releases.rancher.com/install-docker/20.10.sh | sh\ndocker pull rancher/hyperkube:v1.24.17-rancher1\ndocker pull rancher/rke-tools:v0.1.90\n"
RANCHER_AGENT = "#!/bin/sh\ndocker run -d --privileged rancher/rancher-agent:v2.9.1 --server https://rancher.example.com --token abcdefghijklmnopqrstuvwxyz {roles}\n"
TALOS = "version: v1alpha1\nmachine:\n  type: {role}\n  token: abcdef.0123456789abcdeg\n  kubelet:\n    image: ghcr.io/siderolabs/kubelet:v1.31.1\ncluster:\n  clusterName: {name}\n  controlPlane:\n    endpoint: https://{name}.example.com:6443\n"
MICROK8S_FIRST = "#cloud-config\nruncmd:\n  - snap install microk8s --classic --channel=1.31\n  - microk8s status --wait-ready\n"
MICROK8S = "#cloud-config\nruncmd:\n  - snap install microk8s --classic --channel=1.31\n  - microk8s join 10.0.0.9:25000/92b2db237428470dc4fcfc4ebbd9dc81/2c0cb3284b05 --worker\n"
K0S = "#!/bin/sh\ncurl -sSLf https://get.k0s.sh | K0S_VERSION=v1.30.1+k0s.0 sh\nk0s install controller -c /etc/k0s/k0s.yaml\nk0s start\n"
K0S_WORKER = "#!/bin/sh\ncurl -sSLf https://get.k0s.sh | K0S_VERSION=v1.30.1+k0s.0 sh\nk0s install worker --token-file /etc/k0s/token\nk0s start\n"
MINIKUBE = "#!/bin/bash\ncurl -LO https://storage.googleapis.com/minikube/releases/latest/minikube-linux-amd64\nminikube start --driver=docker --kubernetes-version=v1.27.3\n"
KIND = "#!/bin/bash\ncurl -Lo /usr/local/bin/kind https://kind.sigs.k8s.io/dl/v0.23.0/kind-linux-amd64\nkind create cluster --image kindest/node:v1.29.2\n"
CAPA_HOOK = "#cloud-boothook\n#!/bin/bash\naws secretsmanager get-secret-value --secret-id aws.cluster.x-k8s.io/0b7f2c1e-0 --region us-east-1\nmv x /etc/secret-userdata.txt\n"
GARDENER = "#!/bin/bash\nmkdir -p /var/lib/cloud-config-downloader\nsystemctl enable gardener-node-init.service\n"
OPENSHIFT_3 = "#cloud-config\nwrite_files:\n- path: /root/openshift_bootstrap/openshift_settings.yaml\n  content: |\n    openshift_group_type: {role}\nruncmd:\n- [systemctl, restart, atomic-openshift-node]\n"


def openshift(host: str, role: str) -> str:
    """The pointer that a machine gets as user data; the rest comes from the machine config server."""
    return json.dumps({"ignition": {"version": "3.2.0", "config": {"merge": [{"source": f"https://{host}:22623/config/{role}"}]}}})


def hosted(host: str) -> str:
    """The same where the control plane is somebody else's."""
    source = {"source": f"https://{host}/ignition", "httpHeaders": [{"name": "TargetConfigVersionHash", "value": "8d1f"}]}
    return json.dumps({"ignition": {"version": "3.2.0", "config": {"merge": [source]}}})


def typhoon(controller: bool) -> str:
    label = "node.kubernetes.io/controller" if controller else "node.kubernetes.io/node"
    start = f"/usr/bin/podman run --name kubelet quay.io/poseidon/kubelet:v1.31.2 --bootstrap-kubeconfig=/etc/kubernetes/kubeconfig --node-labels={label}"
    units = [{"name": "kubelet.service", "enabled": True, "contents": f"[Unit]\nDescription=Kubelet\n[Service]\nExecStart={start}\n"}]
    etcd = [{"name": "etcd-member.service", "enabled": True, "contents": "[Service]\nExecStart=/usr/bin/docker run quay.io/coreos/etcd:v3.5.13\n"}]
    return json.dumps({"ignition": {"version": "3.3.0"}, "systemd": {"units": (etcd if controller else []) + units}})


def ignition(*units: str) -> str:
    return json.dumps({"ignition": {"version": "2.0.0"}, "systemd": {"units": [{"name": name, "enabled": True} for name in units]}})


def capa(cluster: str, role: str) -> dict:
    prefix = "sigs.k8s.io/cluster-api-provider-aws"
    return {f"{prefix}/cluster/{cluster}": "owned", f"{prefix}/role": role, **owned(cluster)}


def rosa(cluster: str) -> dict:
    return {"red-hat-managed": "true", "red-hat-clustertype": "rosa", "api.openshift.com/name": cluster, "api.openshift.com/id": "2b1c", **owned(cluster)}


KOPS_GROUPS = {
    "masters": group(f"masters.{KOPS}", "Security group for masters", {"KubernetesCluster": KOPS},
                     (tcp(443, source=WORLD), tcp(1, 2379, "nodes"), tcp(2382, 4000, "nodes"), tcp(4003, 65535, "nodes"))),
    "nodes": group(f"nodes.{KOPS}", "Security group for nodes", {"KubernetesCluster": KOPS}, (tcp(22, source="10.0.0.0/8"),)),
}  # fmt: skip
NODE_ROLE = ("{name}-node", "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy")


def worker_role(name: str) -> tuple:
    return (f"{name}-node", *NODE_ROLE[1:])


MADE: dict[str, Made] = {
    "kops": Made(
        "kops", name=KOPS, version="1.30.4", roles={"control_plane": 1, "worker": 2}, open=("api_server",), groups=KOPS_GROUPS,
        tiers=(
            Tier(1, {"k8s.io/role/control-plane": "1", "KubernetesCluster": KOPS, "kops.k8s.io/instancegroup": "master"}, ("masters",), KOPS_SCRIPT.format(role="ControlPlane"), template=True),
            Tier(2, {"k8s.io/role/node": "1", "KubernetesCluster": KOPS, "kops.k8s.io/instancegroup": "nodes"}, ("nodes",), KOPS_SCRIPT.format(role="Node"), scaling=f"nodes.{KOPS}"),
        ),
        around=(classic_balancer("api-k-example-com-3ab1c9", (443, 443), {"KubernetesCluster": KOPS}, internet=True), record("example.com", f"api.internal.{KOPS}", "10.0.0.44"),
                record("example.com", f"api.{KOPS}", "classic api-k-example-com-3ab1c9", "CNAME"), bucket("acme-kops-state-store", {"KubernetesCluster": KOPS})),
        marks=("kops/api-balancer", "kops/controller-record", "kops/api-record", "kops/state-store-name"),
    ),
    "EKS managed": Made("eks", (Tier(2, {"eks:cluster-name": "lake", "eks:nodegroup-name": "ng", **owned("lake")}, (), "", "amazon-eks-node-al2023-x86_64-standard-1.31-v20241024", scaling="eks-ng-1ac5b2d7-0f3c-4a6e-9d3b-1f2e3d4c5b6a", role=worker_role("lake")),), "lake", version="1.31", roles={"worker": 2}, plane="managed", open=("api_server",), around=(eks("lake", version="1.31"),)),
    "EKS self-managed nodes": Made("eks", (Tier(2, owned("grown"), (), NODEADM.format(name="grown", end="0123456789ABCDEF"), role=worker_role("grown")),), "grown", roles={"worker": 2}, plane="managed"),
    "EKS by eksctl": Made("eks", (Tier(2, {"alpha.eksctl.io/cluster-name": "lift", "alpha.eksctl.io/nodegroup-name": "ng", **owned("lift")}, (), NODEADM.format(name="lift", end="FEDCBA9876543210")),), "lift", tool="eksctl", roles={"worker": 2}, plane="managed"),
    "EKS with Karpenter": Made("eks", (Tier(2, {"karpenter.sh/nodepool": "default", "karpenter.sh/nodeclaim": "default-x", "karpenter.k8s.aws/ec2nodeclass": "default", "eks:eks-cluster-name": "sail", **owned("sail")}),), "sail", tool="karpenter", roles={"worker": 2}, plane="managed"),
    "EKS Auto Mode": Made("eks", (Tier(2, {"eks:eks-cluster-name": "auto", "eks:kubernetes-node-pool-name": "general-purpose", "eks:kubernetes-node-class-name": "default", "ec2:ManagedResourceOperator": "eks.amazonaws.com"}),), "auto", tool="eks-auto-mode", version="1.32", roles={"worker": 2}, plane="managed", open=("api_server",), around=(eks("auto", version="1.32", computeConfig={"enabled": True}),)),
    "EKS on Fargate": Made("eks", (), "serverless", tool="eks-fargate", version="1.30", plane="managed", open=("api_server",), around=(eks("serverless", version="1.30", fargate=("default",)),)),
    "kubeadm": Made("kubeadm", (Tier(1, {"Name": "k8s-master-1", **owned("lab")}, ("k",), KUBEADM_INIT, address="10.0.0.10"), Tier(2, {"Name": "k8s-worker", **owned("lab")}, ("k",), KUBEADM_JOIN)), "lab", {"k": group("lab-nodes", rules=(tcp(6443, source=WORLD), tcp(10250, source=WORLD), tcp(2379, 2380, source=WORLD)))}, version="1.31.2", roles={"control_plane": 1, "worker": 2}, open=("api_server", "etcd", "kubelet"), around=(parameter("/lab/kubeadm/join-command"),)),
    "kubespray": Made("kubespray", (Tier(1, {"kubespray-role": "kube_control_plane, etcd", "Name": "kubernetes-spray-master0", "kubernetes.io/cluster/spray": "member"}, ("k",)), Tier(2, {"kubespray-role": "kube_node", "Name": "kubernetes-spray-worker0", "kubernetes.io/cluster/spray": "member"}, ("k",))), "spray", {"k": group("kubernetes-spray-securitygroup")}, roles={"control_plane": 1, "worker": 2}),
    "k3s": Made("k3s", (Tier(1, {"k3s_role": "server", **owned("edge")}, ("k",), K3S_SERVER), Tier(2, {"k3s_role": "agent", **owned("edge")}, ("k",), K3S_AGENT)), "edge", {"k": group("edge", rules=(tcp(6443), udp(8472)))}, version="1.30.2+k3s1", roles={"control_plane": 1, "worker": 2}),
    "RKE": Made("rke", (Tier(1, {"Name": "old-rke-controlplane-1", **owned("old")}, ("k",), RKE1), Tier(2, {"Name": "old-rke-worker-1", **owned("old")}, ("k",), RKE1)), "old", {"k": group("old-rke", rules=(tcp(6443, source="10.0.0.0/8"), tcp(2379, 2380), tcp(10250)))}, version="1.24.17", roles={"control_plane": 1, "worker": 2}),
    "RKE2": Made("rke2", (Tier(1, {"ClusterType": "rke2", **owned("ranch")}, ("k",), RKE2_SERVER), Tier(1, {"ClusterType": "rke2", **owned("ranch")}, ("k",), RKE2_AGENT)), "ranch", {"k": group("ranch-rke2-cluster", rules=(tcp(6443), tcp(9345)))}, version="1.29.6+rke2r1", roles={"control_plane": 1, "worker": 1}, around=(bucket("ranch-x7f-rke2", owned("ranch")),)),
    "Rancher": Made("rancher", (Tier(1, {}, ("k",), RANCHER_AGENT.format(roles="--etcd --controlplane")), Tier(2, {}, ("k",), RANCHER_AGENT.format(roles="--worker"))), None, {"k": group("rancher-nodes", "Rancher Nodes", {"rancher-nodes": "1"}, (tcp(2376), tcp(6443), tcp(9345), tcp(10250), udp(8472)))}, roles={"control_plane": 1, "worker": 2}),
    "OpenShift 3": Made("openshift-3", (Tier(1, {"openshift-role": "master", "clusterid": "origin", **owned("origin")}, ("m",), OPENSHIFT_3.format(role="master")), Tier(2, {"openshift-role": "node", "clusterid": "origin", **owned("origin")}, ("m",), OPENSHIFT_3.format(role="compute"))), "origin", {"m": group("openshift-nodes", rules=(tcp(8443, source=WORLD), tcp(10250), tcp(8053)))}, roles={"control_plane": 1, "worker": 2}, open=("api_server",)),
    "OpenShift 4": Made("openshift", (Tier(1, {"Name": "shift-x7k2p-master-0", **owned("shift-x7k2p")}, ("m",), openshift("api-int.shift.example.com", "master")), Tier(2, {"Name": "shift-x7k2p-worker-a", **owned("shift-x7k2p")}, ("m",), openshift("api-int.shift.example.com", "worker"))), "shift-x7k2p", {"m": group("terraform-1", tags={"Name": "shift-x7k2p-master-sg"}, rules=(tcp(22623), tcp(6443, source=WORLD), tcp(2379, 2380), udp(4789)))}, roles={"control_plane": 1, "worker": 2}, open=("api_server",), around=(record("shift.example.com", "api-int.shift.example.com", "10.0.0.77"), record("shift.example.com", "*.apps.shift.example.com", "198.51.100.7"), bucket("shift-x7k2p-image-registry-us-east-1-abcdef", owned("shift-x7k2p"))), marks=("openshift/api-int-record", "openshift/apps-record", "openshift/image-registry")),
    "ROSA": Made("rosa", (Tier(3, {"Name": "rose-b4k9z-master-0", **rosa("rose-b4k9z")}, ("m",), openshift("api-int.rose.b4k9.p1.openshiftapps.com", "master"), role=("ManagedOpenShift-ControlPlane-Role",)), Tier(2, {"Name": "rose-b4k9z-worker-a", **rosa("rose-b4k9z")}, ("m",), openshift("api-int.rose.b4k9.p1.openshiftapps.com", "worker"), role=("ManagedOpenShift-Worker-Role",))), "rose-b4k9z", {"m": group("rose-b4k9z-controlplane", "Kubernetes cluster rose-b4k9z: controlplane", {"red-hat-managed": "true"}, (tcp(22623), tcp(6443)))}, roles={"control_plane": 3, "worker": 2}),
    "ROSA with a hosted control plane": Made("rosa", (Tier(2, rosa("hosted-k2"), ("w",), hosted("ignition-server.hosted-k2.x1y2.p3.openshiftapps.com"), role=("hosted-k2-HCP-ROSA-Worker-Role",)),), "hosted-k2", {"w": group("hosted-k2-default-sg", tags={"red-hat-managed": "true", **owned("hosted-k2")})}, roles={"worker": 2}, plane="elsewhere"),
    "Talos": Made("talos", (Tier(1, {"KubernetesCluster": "steel"}, ("k",), TALOS.format(role="controlplane", name="steel"), image="talos-v1.8.1-us-east-1-amd64"), Tier(2, {"KubernetesCluster": "steel"}, ("k",), TALOS.format(role="worker", name="steel"), image="talos-v1.8.1-us-east-1-amd64")), "steel", {"k": group("steel", rules=(tcp(50000, source=WORLD), tcp(50001), tcp(6443)))}, version="1.31.1", roles={"control_plane": 1, "worker": 2}, open=("join",)),
    "MicroK8s": Made("microk8s", (Tier(1, {"Name": "microk8s-0"}, ("k",), MICROK8S_FIRST, address="10.0.0.9"), Tier(2, {"Name": "microk8s-1"}, ("k",), MICROK8S)), None, {"k": group("mk8s", rules=(tcp(16443), tcp(25000)))}, version="1.31", roles={"control_plane": 1, "worker": 2}),
    "k0s": Made("k0s", (Tier(1, {"Name": "k0s-controller"}, ("k",), K0S), Tier(2, {"Name": "k0s-worker"}, ("k",), K0S_WORKER)), None, {"k": group("k0s", rules=(tcp(9443), tcp(8132), tcp(6443, source=WORLD)))}, version="1.30.1+k0s.0", roles={"control_plane": 1, "worker": 2}, open=("api_server",)),
    "Cluster API": Made("cluster-api", (Tier(1, capa("fleet", "control-plane"), ("c",), gzip.compress(CAPA_HOOK.encode()), image="capa-ami-ubuntu-22.04-v1.29.3-00"), Tier(2, capa("fleet", "node"), ("n",), gzip.compress(CAPA_HOOK.encode()), image="capa-ami-ubuntu-22.04-v1.29.3-00")), "fleet", {"c": group("fleet-controlplane", "Kubernetes cluster fleet: controlplane", rules=(tcp(6443, source=WORLD, says="Kubernetes API"), tcp(2379, says="etcd"), tcp(2380, says="etcd peer"))), "n": group("fleet-node", "Kubernetes cluster fleet: node", rules=(tcp(10250, says="Kubelet API"),))}, version="1.29.3", roles={"control_plane": 1, "worker": 2}, open=("api_server",), around=(classic_balancer("fleet-apiserver", (6443, 6443), capa("fleet", "apiserver"), internet=True), secret("aws.cluster.x-k8s.io/0b7f2c1e-0", capa("fleet", "node"))), marks=("cluster-api/api-balancer", "cluster-api/secret")),
    "Gardener": Made("gardener", (Tier(2, {"kubernetes.io/cluster/shoot--dev--rose": "1", "kubernetes.io/role/node": "1", "Name": "shoot--dev--rose-worker"}, ("n",)),), "shoot--dev--rose", {"n": group("shoot--dev--rose-nodes", "Security group for nodes")}, roles={"worker": 2}, plane="elsewhere"),
    "Giant Swarm": Made("giant-swarm", (Tier(1, {"giantswarm.io/cluster": "ab1cd", "giantswarm.io/control-plane": "x1", "giantswarm.io/installation": "gauss", "giantswarm.io/organization": "acme", **owned("ab1cd")}), Tier(2, {"giantswarm.io/cluster": "ab1cd", "giantswarm.io/machine-deployment": "m1", "giantswarm.io/installation": "gauss", **owned("ab1cd")})), "ab1cd", roles={"control_plane": 1, "worker": 2}, around=(bucket("123456789012-g8s-ab1cd"),)),
    "KubeOne": Made("kubeone", (Tier(1, {"Name": "one-cp-1", "kubernetes.io/cluster/one": "shared"}, ("c",)), Tier(1, {"Machine-UID": "0b7f2c1e-aaaa-bbbb-cccc-1234567890ab", "kubernetes.io/cluster/one": "owned"}, ("c",))), "one", {"c": group("one-common", "cluster common rules", {"kubernetes.io/cluster/one": "shared"})}, roles={"control_plane": 1, "worker": 1}),
    "kube-aws": Made("kube-aws", (Tier(1, {"kube-aws:role": "controller", **owned("aws1")}), Tier(1, {"kube-aws:role": "etcd", "kube-aws:etcd:index": "0", **owned("aws1")}), Tier(1, {"kube-aws:role": "worker", "kube-aws:node-pool:name": "p", **owned("aws1")})), "aws1", roles={"control_plane": 1, "worker": 1, "etcd": 1}),
    "Tectonic": Made("tectonic", (Tier(1, {"tectonicClusterID": "6e1d", "Name": "plates-master-0", **owned("plates")}, ("m",)), Tier(2, {"tectonicClusterID": "6e1d", "Name": "plates-worker-0", **owned("plates")}, ("m",))), "plates", {"m": group("plates_master_sg")}, roles={"control_plane": 1, "worker": 2}),
    "Typhoon": Made("typhoon", (Tier(1, {"Name": "gale-controller-0"}, ("c",), typhoon(True), image="Flatcar-stable-3975.2.2-hvm"), Tier(2, {"Name": "gale-worker"}, ("w",), typhoon(False), image="Flatcar-stable-3975.2.2-hvm")), None, {"c": group("gale-controller", "gale controller security group", rules=(tcp(6443, source=WORLD), tcp(2379, 2380), tcp(10250), udp(8472), tcp(10257), tcp(10259))), "w": group("gale-worker", "gale worker security group", rules=(tcp(10250), udp(8472), tcp(9100)))}, version="1.31.2", roles={"control_plane": 1, "worker": 2}, open=("api_server",), around=(record("typhoon.example.com", "gale-etcd0.typhoon.example.com", "10.0.0.66"),)),
    "minikube": Made("local-vm", (Tier(1, {}, (), MINIKUBE),), version="1.27.3", roles={"control_plane": 1}),
    "kind": Made("local-vm", (Tier(1, {"Name": "try-kind"}, (), KIND),), version="1.29.2", roles={"control_plane": 1}),
    "EKS in a shared subnet": Made("eks", (Tier(1, {"eks:cluster-name": "tenant", **owned("tenant")}), ), "tenant", roles={"worker": 1}, plane="managed", around=(shared_subnet("tenant"),)),
}  # fmt: skip


def careless_kops(name: str) -> Made:
    """A small kops cluster of this name whose API and SSH ports the world may reach."""
    tags = {"KubernetesCluster": name, **owned(name), "k8s.io/role/node": "1", "kops.k8s.io/instancegroup": "nodes"}
    plane = {**tags, "k8s.io/role/control-plane": "1", "kops.k8s.io/instancegroup": "master"}
    of = {"KubernetesCluster": name}
    groups = {
        "masters": group(f"masters.{name}", "Security group for masters", of, (tcp(443, source="0.0.0.0/0"), tcp(22, source="0.0.0.0/0"))),
        "nodes": group(f"nodes.{name}", "Security group for nodes", of, (tcp(22, source="0.0.0.0/0"),)),
    }
    return Made("kops", (Tier(1, plane, ("masters",)), Tier(2, tags, ("nodes",))), name, groups)
