"""One cluster of each distribution, as its installer leaves it in EC2: tags, groups, user data, images, scaling groups.

A row says what is made and as what it must be found; `made` makes it through the EC2 API in a VPC of its own. Only what
AWS sees is made: nothing runs on the machines.
"""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, field
from typing import Any

SELF = "self"


@dataclass
class Tier:
    """Machines that are made alike."""

    count: int = 1
    tags: dict = field(default_factory=dict)
    groups: tuple = ()
    user_data: str | bytes = ""
    image: str = ""
    template: bool = False
    scaling: str = ""


@dataclass
class Made:
    """A cluster to make. `name` is what it must be called, or None where nothing tells; `tool` is what else left marks."""

    distribution: str
    tiers: tuple
    name: str | None = None
    groups: dict = field(default_factory=dict)
    tool: str = ""


def group(name: str = "", description: str = "made", tags: dict | None = None, rules: tuple = ()) -> dict:
    return {"name": name, "description": description, "tags": tags or {}, "rules": rules}


def owned(name: str) -> dict:
    return {f"kubernetes.io/cluster/{name}": "owned"}


def tcp(first: int, last: int | None = None, source: str = SELF, says: str = "") -> tuple:
    return ("tcp", first, last or first, source, says)


def udp(first: int, last: int | None = None, source: str = SELF, says: str = "") -> tuple:
    return ("udp", first, last or first, source, says)


KOPS = "k.example.com"
KOPS_SCRIPT = """#!/bin/bash
NODEUP_URL_AMD64=https://artifacts.k8s.io/binaries/kops/1.30.1/linux/amd64/nodeup
echo "== nodeup node config starting =="
cat > conf/kube_env.yaml << '__EOF_KUBE_ENV'
ClusterName: k.example.com
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
    name: grown
    apiServerEndpoint: https://0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com
    certificateAuthority: Q0E=
    cidr: 10.100.0.0/16

--B--
"""
KUBEADM_INIT = """#!/bin/bash
curl -fsSL https://pkgs.k8s.io/core:/stable:/v1.31/deb/Release.key | gpg --dearmor -o /etc/apt/keyrings/k8s.gpg
apt-get install -y kubelet kubeadm
kubeadm init --pod-network-cidr=10.244.0.0/16 --control-plane-endpoint=10.0.0.10:6443
"""
KUBEADM_JOIN = """#!/bin/bash
apt-get install -y kubelet kubeadm
kubeadm join 10.0.0.10:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:00
"""
K3S_SERVER = "#!/bin/sh\ncurl -sfL https://get.k3s.io | K3S_TOKEN=secret INSTALL_K3S_EXEC='server --tls-san k3s.example.com' sh -\n"
K3S_AGENT = "#!/bin/sh\ncurl -sfL https://get.k3s.io | K3S_URL=https://k3s.example.com:6443 K3S_TOKEN=secret sh -\n"
RKE2_SERVER = "#!/bin/sh\nmkdir -p /etc/rancher/rke2\necho 'token: t' > /etc/rancher/rke2/config.yaml\ncurl -sfL https://get.rke2.io | sh -\nsystemctl enable --now rke2-server\n"
RKE2_AGENT = "#!/bin/sh\nmkdir -p /etc/rancher/rke2\nprintf 'server: https://rke2.example.com:9345\\ntoken: t\\n' > /etc/rancher/rke2/config.yaml\ncurl -sfL https://get.rke2.io | INSTALL_RKE2_TYPE=agent sh -\nsystemctl enable --now rke2-agent\n"
TALOS = "version: v1alpha1\nmachine:\n  type: {role}\n  token: a.b\ncluster:\n  clusterName: steel\n  controlPlane:\n    endpoint: https://steel.example.com:6443\n"
OPENSHIFT = json.dumps({"ignition": {"version": "3.2.0", "config": {"merge": [{"source": "https://api-int.shift.example.com:22623/config/worker"}]}}})
MICROK8S = "#cloud-config\nruncmd:\n  - snap install microk8s --classic --channel=1.31\n  - microk8s join 10.0.0.9:25000/abc/def --worker\n"
K0S = "#!/bin/sh\ncurl -sSLf https://get.k0s.sh | sh\nk0s install controller --single -c /etc/k0s/k0s.yaml\nk0s start\n"
MINIKUBE = "#!/bin/bash\ncurl -LO https://storage.googleapis.com/minikube/releases/latest/minikube-linux-amd64\nminikube start --driver=docker\n"
TYPHOON = json.dumps({"ignition": {"version": "3.3.0"}, "systemd": {"units": [
    {"name": "kubelet.service", "enabled": True, "contents": "[Unit]\nDescription=Kubelet\n[Service]\nExecStart=/usr/bin/podman run --name kubelet quay.io/poseidon/kubelet:v1.31.2 --bootstrap-kubeconfig=/etc/kubernetes/kubeconfig --node-labels=node.kubernetes.io/node\n"}]}})  # fmt: skip
CAPA_HOOK = "#cloud-boothook\n#!/bin/bash\naws secretsmanager get-secret-value --secret-id aws.cluster.x-k8s.io/0 --region us-east-1\nmv x /etc/secret-userdata.txt\n"

MADE: dict[str, Made] = {
    "kops": Made(
        "kops", name=KOPS,
        groups={
            "masters": group(f"masters.{KOPS}", "Security group for masters", {"KubernetesCluster": KOPS},
                             (tcp(443, source="10.0.0.0/16"), tcp(1, 2379, "nodes"), tcp(2382, 4000, "nodes"), tcp(4003, 65535, "nodes"))),
            "nodes": group(f"nodes.{KOPS}", "Security group for nodes", {"KubernetesCluster": KOPS}, (tcp(22, source="10.0.0.0/8"),)),
        },
        tiers=(
            Tier(1, {"k8s.io/role/control-plane": "1", "KubernetesCluster": KOPS, "kops.k8s.io/instancegroup": "master"}, ("masters",), KOPS_SCRIPT, template=True),
            Tier(2, {"k8s.io/role/node": "1", "KubernetesCluster": KOPS, "kops.k8s.io/instancegroup": "nodes"}, ("nodes",), KOPS_SCRIPT, scaling=f"nodes.{KOPS}"),
        ),
    ),  # fmt: skip
    "EKS nodes of one's own": Made("eks", (Tier(2, owned("grown"), (), NODEADM),), "grown"),
    "eksctl": Made("eks", (Tier(2, {"alpha.eksctl.io/cluster-name": "lift", "alpha.eksctl.io/nodegroup-name": "ng", **owned("lift")}, (), NODEADM.replace("grown", "lift").replace("0123456789ABCDEF", "FEDCBA9876543210")),), "lift", tool="eksctl"),
    "Karpenter": Made("eks", (Tier(2, {"karpenter.sh/nodepool": "default", "karpenter.sh/nodeclaim": "default-x", "karpenter.k8s.aws/ec2nodeclass": "default", "eks:eks-cluster-name": "sail", **owned("sail")}),), "sail", tool="karpenter"),
    "kubeadm": Made("kubeadm", (Tier(1, {}, ("k",), KUBEADM_INIT), Tier(2, {}, ("k",), KUBEADM_JOIN)), None, {"k": group("hand-made", rules=(tcp(6443), tcp(10250), tcp(2379, 2380)))}),
    "kubespray": Made("kubespray", (Tier(1, {"kubespray-role": "kube_control_plane, etcd", "Name": "kubernetes-spray-master0", "kubernetes.io/cluster/spray": "member"}, ("k",)), Tier(2, {"kubespray-role": "kube_node", "Name": "kubernetes-spray-worker0", "kubernetes.io/cluster/spray": "member"}, ("k",))), "spray", {"k": group("kubernetes-spray-securitygroup")}),
    "k3s": Made("k3s", (Tier(1, {}, ("k",), K3S_SERVER), Tier(2, {}, ("k",), K3S_AGENT)), None, {"k": group("shared", rules=(tcp(6443), udp(8472)))}),
    "RKE2": Made("rke2", (Tier(1, {"ClusterType": "rke2", **owned("ranch")}, ("k",), RKE2_SERVER), Tier(1, {"ClusterType": "rke2", **owned("ranch")}, ("k",), RKE2_AGENT)), "ranch", {"k": group("ranch-rke2-cluster", rules=(tcp(6443), tcp(9345)))}),
    "Rancher": Made("rancher", (Tier(2, {}, ("k",), "#!/bin/sh\ndocker run -d --privileged rancher/rancher-agent:v2.9.1 --server https://rancher.example.com --token t --worker\n"),), None, {"k": group("rancher-nodes", "Rancher Nodes", {"rancher-nodes": "1"}, (tcp(2376), tcp(6443), tcp(9345), tcp(10250), udp(8472)))}),
    "Talos": Made("talos", (Tier(1, {"KubernetesCluster": "steel"}, ("k",), TALOS.format(role="controlplane"), image="talos-v1.8.1-us-east-1-amd64"), Tier(2, {"KubernetesCluster": "steel"}, ("k",), TALOS.format(role="worker"), image="talos-v1.8.1-us-east-1-amd64")), "steel", {"k": group("steel", rules=(tcp(50000), tcp(50001), tcp(6443)))}),
    "OpenShift 4": Made("openshift", (Tier(1, {"Name": "shift-x7k2p-master-0", **owned("shift-x7k2p")}, ("m",), OPENSHIFT.replace("worker", "master")), Tier(2, {"Name": "shift-x7k2p-worker-a", **owned("shift-x7k2p")}, ("m",), OPENSHIFT)), "shift-x7k2p", {"m": group("terraform-1", tags={"Name": "shift-x7k2p-master-sg"}, rules=(tcp(22623), tcp(6443), tcp(2379, 2380), udp(4789)))}),
    "MicroK8s": Made("microk8s", (Tier(2, {}, ("k",), MICROK8S),), None, {"k": group("mk8s", rules=(tcp(16443), tcp(25000)))}),
    "k0s": Made("k0s", (Tier(1, {}, ("k",), K0S),), None, {"k": group("k0s", rules=(tcp(9443), tcp(8132), tcp(6443)))}),
    "Cluster API": Made("cluster-api", (Tier(1, {"sigs.k8s.io/cluster-api-provider-aws/cluster/fleet": "owned", "sigs.k8s.io/cluster-api-provider-aws/role": "control-plane", **owned("fleet")}, ("c",), gzip.compress(CAPA_HOOK.encode())), Tier(2, {"sigs.k8s.io/cluster-api-provider-aws/cluster/fleet": "owned", "sigs.k8s.io/cluster-api-provider-aws/role": "node", **owned("fleet")}, ("c",))), "fleet", {"c": group("fleet-controlplane", "Kubernetes cluster fleet: controlplane", rules=(tcp(6443, says="Kubernetes API"), tcp(2379, says="etcd"), tcp(2380, says="etcd peer")))}),
    "Gardener": Made("gardener", (Tier(2, {"kubernetes.io/cluster/shoot--dev--rose": "1", "kubernetes.io/role/node": "1", "Name": "shoot--dev--rose-worker"}, ("n",)),), "shoot--dev--rose", {"n": group("shoot--dev--rose-nodes", "Security group for nodes")}),
    "Giant Swarm": Made("giant-swarm", (Tier(2, {"giantswarm.io/cluster": "ab1cd", "giantswarm.io/installation": "gauss", "giantswarm.io/organization": "acme", **owned("ab1cd")}),), "ab1cd"),
    "KubeOne": Made("kubeone", (Tier(1, {"Name": "one-cp-1", "kubernetes.io/cluster/one": "shared"}, ("c",)), Tier(1, {"Machine-UID": "0b7f2c1e-aaaa-bbbb-cccc-1234567890ab", "kubernetes.io/cluster/one": "owned"}, ("c",))), "one", {"c": group("one-common", "cluster common rules", {"kubernetes.io/cluster/one": "shared"})}),
    "kube-aws": Made("kube-aws", (Tier(1, {"kube-aws:role": "controller", **owned("aws1")}), Tier(1, {"kube-aws:role": "worker", "kube-aws:node-pool:name": "p", **owned("aws1")})), "aws1"),
    "Tectonic": Made("tectonic", (Tier(2, {"tectonicClusterID": "6e1d", **owned("plates")}),), "plates"),
    "Typhoon": Made("typhoon", (Tier(1, {"Name": "gale-controller-0"}, ("c",), TYPHOON, image="Flatcar-stable-3975.2.2-hvm"), Tier(2, {"Name": "gale-worker"}, ("w",), TYPHOON, image="Flatcar-stable-3975.2.2-hvm")), None, {"c": group("gale-controller", "gale controller security group", rules=(tcp(6443), tcp(2379, 2380), tcp(10250), udp(8472), tcp(10257), tcp(10259))), "w": group("gale-worker", "gale worker security group", rules=(tcp(10250), udp(8472), tcp(9100)))}),
    "minikube": Made("local-vm", (Tier(1, {}, (), MINIKUBE),)),
}  # fmt: skip

# Machines that look like nodes to a hasty eye, and are none.
DECOYS: dict[str, Made] = {
    "Nomad": Made("", (Tier(2, {"nomad-clients": "auto-join"}, ("k",), "#!/bin/bash\n/opt/nomad/bin/run-nomad --client\n/opt/consul/bin/run-consul --client\n"),), None, {"k": group("nomad", rules=(tcp(4646, 4648), udp(4648)))}),
    "Docker Swarm": Made("", (Tier(2, {}, ("k",), "#!/bin/sh\ndocker swarm join --token SWMTKN-1-x 10.0.0.5:2377\n"),), None, {"k": group("swarm", rules=(tcp(2377), tcp(7946), udp(7946), udp(4789)))}),
    "docker-machine": Made("", (Tier(1, {}, ("k",)),), None, {"k": group("docker-machine", "Docker Machine", rules=(tcp(22), tcp(2376), tcp(3376)))}),
    "ECS": Made("", (Tier(2, {"Name": "ECS Instance"}, (), "#!/bin/bash\necho ECS_CLUSTER=prod >> /etc/ecs/ecs.config\n", image="amzn2-ami-ecs-hvm-2.0.20241010-x86_64-ebs"),)),
    "Patroni": Made("", (Tier(3, {"Name": "patroni"}, ("k",), "#!/bin/sh\napt-get install -y patroni etcd-server postgresql\n"),), None, {"k": group("patroni", rules=(tcp(2379, 2380), tcp(5432), tcp(8008)))}),
    "Jenkins": Made("", (Tier(1, {"Name": "jenkins"}, ("k",), "#!/bin/sh\napt-get install -y jenkins kubectl\n"),), None, {"k": group("jenkins", rules=(tcp(8080), tcp(50000)))}),
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


def make(ec2: Any, scaling: Any, title: str, made: Made) -> list[str]:
    """Makes it in a VPC of its own; answers the ids of its instances."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20")["Subnet"]["SubnetId"]
    groups = _groups(ec2, vpc, made.groups)
    plain = ec2.create_security_group(GroupName=f"app-{vpc}", Description="an application", VpcId=vpc)["GroupId"]
    ids: list[str] = []
    for number, tier in enumerate(made.tiers):
        wanted = [groups[key] for key in tier.groups] or [plain]
        ids += _tier(ec2, scaling, f"{vpc}-{number}", tier, subnet, wanted)
    return ids


def _tags(kind: str, tags: dict) -> list[dict]:
    return [{"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}] if tags else []


def _groups(ec2: Any, vpc: str, wanted: dict) -> dict[str, str]:
    ids = {}
    for key, row in wanted.items():
        request = {"GroupName": row["name"], "Description": row["description"], "VpcId": vpc}
        ids[key] = ec2.create_security_group(**request, TagSpecifications=_tags("security-group", row["tags"]))["GroupId"]
    for key, row in wanted.items():
        for protocol, first, last, source, says in row["rules"]:
            rule: dict = {"IpProtocol": protocol, "FromPort": first, "ToPort": last}
            if source[0].isdigit():
                rule["IpRanges"] = [{"CidrIp": source, "Description": says}]
            else:
                rule["UserIdGroupPairs"] = [{"GroupId": ids[key if source == SELF else source], "Description": says}]
            ec2.authorize_security_group_ingress(GroupId=ids[key], IpPermissions=[rule])
    return ids


def _image(ec2: Any, name: str) -> str:
    if not name:
        return "ami-12345678"
    known = ec2.describe_images(Filters=[{"Name": "name", "Values": [name]}])["Images"]
    return known[0]["ImageId"] if known else ec2.register_image(Name=name, RootDeviceName="/dev/sda1")["ImageId"]


def _tier(ec2: Any, scaling: Any, name: str, tier: Tier, subnet: str, groups: list[str]) -> list[str]:
    raw = tier.user_data if isinstance(tier.user_data, bytes) else tier.user_data.encode()
    image = _image(ec2, tier.image)
    if tier.template or tier.scaling:
        data = {"ImageId": image, "InstanceType": "m6i.large", "SecurityGroupIds": groups,
                "UserData": base64.b64encode(raw).decode(), "TagSpecifications": _tags("instance", tier.tags)}  # fmt: skip
        template = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)["LaunchTemplate"]["LaunchTemplateId"]
        if tier.scaling:
            scaling.create_auto_scaling_group(
                AutoScalingGroupName=tier.scaling, MinSize=0, MaxSize=10, DesiredCapacity=tier.count, VPCZoneIdentifier=subnet,
                LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
                Tags=[{"Key": k, "Value": v, "PropagateAtLaunch": True} for k, v in tier.tags.items()])  # fmt: skip
            found = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[tier.scaling])["AutoScalingGroups"][0]
            return [i["InstanceId"] for i in found["Instances"]]
        answer = ec2.run_instances(MinCount=tier.count, MaxCount=tier.count, SubnetId=subnet, LaunchTemplate={"LaunchTemplateId": template})
        return [i["InstanceId"] for i in answer["Instances"]]
    answer = ec2.run_instances(
        ImageId=image, InstanceType="m6i.large", MinCount=tier.count, MaxCount=tier.count, SubnetId=subnet, SecurityGroupIds=groups,
        UserData=raw, TagSpecifications=_tags("instance", tier.tags))  # fmt: skip
    return [i["InstanceId"] for i in answer["Instances"]]
