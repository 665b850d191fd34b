"""The probe: machines that signals are not sure of are asked over the network, where the policy names their VPC and nowhere else.

What stands for the machines are real TLS and HTTP servers on loopback: 127.0.0.0/8 is this machine whatever the last numbers
are, so instances get addresses of it. The function really runs, and really connects.
"""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import deploy
import pytest
import run
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from deployment import BINARY, ROOT, Deployment, eventually

VERSION = '{\n  "major": "1",\n  "minor": "30",\n  "gitVersion": "v1.30.2+k3s1"\n}'
STATUS = '{\n  "kind": "Status",\n  "apiVersion": "v1",\n  "code": 401\n}'
NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
ALLOWED = "version: 1\nprobe: {{vpcs: [{}]}}\n"


class Machine:
    """What answers at an address: an API server that lets nobody in but tells its version, and a kubelet that lets everybody."""

    def __init__(self, address: str, folder: Path):
        self.address, self.requests = address, []
        self._servers = [self._serve(6443, self._api, certificate(address, folder)), self._serve(10255, self._kubelet, None)]

    def _api(self, path: str) -> tuple[int, str]:
        return (200, VERSION) if path == "/version" else (401, STATUS)

    def _kubelet(self, path: str) -> tuple[int, str]:
        return (200, "ok") if path == "/healthz" else (404, "")

    def _serve(self, port: int, answer: Any, chain: Path | None) -> http.server.ThreadingHTTPServer:
        machine = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                machine.requests.append((port, self.command, self.path, dict(self.headers)))
                status, body = answer(self.path)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        server = http.server.ThreadingHTTPServer((self.address, port), Handler)
        if chain:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(chain)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


def certificate(address: str, folder: Path) -> Path:
    """The certificate of an API server, with its key, as its own authority signs it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName(n) for n in NAMES] + [x509.IPAddress(ipaddress.ip_address(a)) for a in (address, "10.43.0.1")]
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    signed = made.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(key, hashes.SHA256())
    path = folder / f"{address}.pem"
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()) + signed.public_bytes(pem))
    return path


@pytest.fixture(scope="module")
def probing() -> Iterator[Deployment]:
    """A Picket with its probe."""
    with run.Cloud() as cloud:
        parameters = {"Mode": "observe", "SweepRegions": "home", "AssessOnCalls": "false", "ProbeSubnets": "subnet-0a,subnet-0b", "ProbeVpc": "vpc-0a", "ProbeNetwork": "127.16.0.0/12"}
        deploy.deploy(cloud.endpoint, ROOT / "template.yaml", {"": BINARY}, parameters, "picket")
        yield Deployment(cloud, "picket")


@pytest.fixture
def doubtful(probing: Deployment, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple]:
    """An instance of which nothing is known but that its group lets people to port 6443, and what answers at its address."""
    address = f"127.16.0.{20 + len(request.node.name) % 200}"
    vpc = probing.ec2.create_vpc(CidrBlock="127.16.0.0/16")["Vpc"]["VpcId"]
    subnet = probing.ec2.create_subnet(VpcId=vpc, CidrBlock="127.16.0.0/20")["Subnet"]["SubnetId"]
    group = probing.ec2.create_security_group(GroupName=f"x-{vpc}", Description="x", VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 6443, "ToPort": 6443, "IpRanges": [{"CidrIp": "127.16.0.0/12"}]}
    probing.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    launch = {"ImageId": "ami-12345678", "MinCount": 1, "MaxCount": 1, "SubnetId": subnet, "SecurityGroupIds": [group]}
    instance = probing.ec2.run_instances(**launch, PrivateIpAddress=address)["Instances"][0]["InstanceId"]
    machine = Machine(address, tmp_path)
    yield vpc, instance, machine
    machine.stop()
    probing.ec2.terminate_instances(InstanceIds=[instance])


def swept(probing: Deployment) -> int:
    """How many places were looked at so far."""
    return sum("looked at a place" in line for line in probing.log_of("sweep"))


def sweep(probing: Deployment) -> list[dict]:
    """A sweep, and the clusters that Picket knows after it."""
    before = swept(probing)
    probing.invoke("sweep", {})
    eventually(lambda: swept(probing) > before, "the place is looked at", 40)
    done = probing.cli("clusters", "--output", "json")
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)["clusters"]


def cluster_with(clusters: list[dict], instance: str) -> dict | None:
    found = [c.get("found", c) for c in clusters]
    return next((c for c in found if instance in {n["id"] for n in c["nodes"]}), None)


def test_a_machine_in_doubt_is_asked_and_named_where_the_policy_names_its_vpc(probing, doubtful):
    vpc, instance, machine = doubtful
    probing.apply_policy(ALLOWED.format(vpc))
    cluster = cluster_with(sweep(probing), instance)
    assert cluster, probing.log_of("probe")
    assert (cluster["distribution"], cluster["version"], cluster["control_plane"]) == ("k3s", "1.30.2+k3s1", "nodes")
    marks = {e["mark"]: e["weight"] for e in cluster["evidence"]}
    assert marks["k3s/k3s-version"] == 60 and marks["kubernetes/api-certificate"] == 60
    open_doors = {(a["door"], a["port"]) for a in cluster["anonymous"]}
    assert open_doors == {("api_server", 6443), ("kubelet_read_only", 10255)}
    assert {command for _, command, _, _ in machine.requests} == {"GET"}, "it only reads"
    assert not [headers for *_, headers in machine.requests if "Authorization" in headers], "and shows no credentials"


@pytest.mark.parametrize("policy", ["version: 1\n", ALLOWED.format("vpc-0123456789abcdef0")])
def test_nothing_is_asked_where_the_policy_does_not_name_the_vpc(probing, doubtful, policy):
    _, instance, machine = doubtful
    probing.apply_policy(policy)
    assert cluster_with(sweep(probing), instance) is None
    assert machine.requests == []


def test_a_machine_outside_of_the_network_of_the_stack_is_not_asked_whatever_the_policy_says(probing, tmp_path):
    machine = Machine("127.80.0.9", tmp_path)
    asked = {"asked": [{"instance": "i-0123456789abcdef0", "address": "127.80.0.9", "ports": [6443]}]}
    assert probing.invoke("probe", asked) == {"probes": [], "left": 1}
    assert machine.requests == []
    machine.stop()


def test_the_role_of_the_probe_may_do_nothing_to_aws_in_its_own_name(probing):
    [role] = [r for r in probing.roles() if "ProbeRole" in r["RoleName"]]
    names = probing.client("iam").list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
    documents = [probing.client("iam").get_role_policy(RoleName=role["RoleName"], PolicyName=n)["PolicyDocument"] for n in names]
    statements = [s for d in documents for s in (d if isinstance(d, dict) else json.loads(d))["Statement"]]
    allowed = {a for s in statements if s["Effect"] == "Allow" for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])}
    denied = {a for s in statements if s["Effect"] == "Deny" for a in s["Action"]}
    assert allowed - denied <= {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def test_without_subnets_there_is_no_probe(watch):
    names = [f["FunctionName"] for f in watch.client("lambda").list_functions()["Functions"]]
    assert "watch-sweep" in names and "watch-probe" not in names
