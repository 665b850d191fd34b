"""The collector runs for real: on trees of four kinds of nodes and on this machine, under each shell."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

import docker_api
import jsonschema
import pytest
import yaml
from conftest import ROOT
from trees import SECRETS, eks, k3s, kops, kubeadm, process, put

SCHEMA = json.loads((ROOT / "infra/node/node.schema.json").read_text(encoding="utf-8"))
# Systems Manager takes 64 KiB. Whoever comes near takes something out first: what can be worked out of a report belongs in
# shared/evidence/src/node/derived.
MOST_FOR_A_DOCUMENT = 56 * 1024


def made(kind, tmp_path: pathlib.Path) -> pathlib.Path:
    kind(tmp_path)
    return tmp_path


def state(root: pathlib.Path) -> dict:
    """Everything of a tree that a write would change."""
    seen = {}
    for path in sorted(root.rglob("*")):
        s = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        seen[str(path)] = (s.st_mode, s.st_uid, s.st_size, s.st_mtime_ns, s.st_ctime_ns, content)
    return seen


def same(document: dict) -> dict:
    return {**document, "at": ""}


def test_the_document_is_as_the_parts_are():
    done = subprocess.run([sys.executable, ROOT / "infra/node/build.py", "--check"], check=False)
    assert done.returncode == 0


def test_systems_manager_takes_the_document_and_fills_in_one_parameter():
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda loader, suffix, node: str(node.value))
    template = yaml.load((ROOT / "infra/node.yaml").read_text(encoding="utf-8"), Loader)
    content = template["Resources"]["Document"]["Properties"]["Content"]
    size = len(json.dumps(content))
    assert size < MOST_FOR_A_DOCUMENT, f"the document has {size} bytes"
    script = content["mainSteps"][0]["inputs"]["runCommand"][0]
    assert script.count("{{") == 1


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not here")
def test_shellcheck_has_nothing_to_say(tmp_path):
    source = subprocess.run([sys.executable, ROOT / "infra/node/build.py", "--script"], capture_output=True, check=True).stdout
    (tmp_path / "collector.sh").write_bytes(source)
    done = subprocess.run(["shellcheck", "-s", "sh", tmp_path / "collector.sh"], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_what_it_says_is_as_the_schema_has_it(run, tree):
    jsonschema.validate(run(tree), SCHEMA)


def test_no_secret_leaves_the_node(run, tree):
    told = json.dumps(run(tree))
    planted = {name for name, secret in SECRETS.items() if secret in told}
    assert not planted


def test_it_changes_nothing(run, tree):
    before = state(tree)
    run(tree)
    assert state(tree) == before


def test_twice_is_the_same_but_for_the_time(run, tree):
    assert same(run(tree)) == same(run(tree))


def test_this_machine_is_read_as_a_whole(run):
    document = run(None)
    jsonschema.validate(document, SCHEMA)
    assert document["files"]["/etc/passwd"]["mode"] == os.stat("/etc/passwd").st_mode & 0o7777
    assert document["accounts"][0]["name"] == "root"
    assert any("python" in p["argv"][0] or "pytest" in p["argv"][0] for p in document["processes"].values())
    assert len(document["packages"]) > 50
    assert document["host"]["kernel"] == os.uname().release


def test_a_kubeadm_control_plane_tells_flags_and_files_without_keys(run, tmp_path):
    document = run(made(kubeadm, tmp_path))
    assert "--authorization-mode=Node,RBAC" in document["processes"]["101"]["argv"]
    assert "--enable-bootstrap-token-auth=true" in document["processes"]["101"]["argv"]
    assert document["processes"]["102"]["env"] == {"ETCD_CLIENT_CERT_AUTH": "true"}
    assert document["processes"]["102"]["user"] == "etcd"
    assert document["kubernetes"]["encryption_config"] == {
        "resources": [{"resources": ["secrets", "configmaps"], "providers": [{"aescbc": {}}, {"identity": {}}]}]
    }
    config = yaml.safe_load(document["kubelet"]["config"]["text"])
    assert config["authentication"]["x509"]["clientCAFile"] == "/etc/kubernetes/pki/ca.crt"
    assert config["readOnlyPort"] == 0
    pod = document["kubernetes"]["static_pods"]["/etc/kubernetes/manifests/kube-apiserver.yaml"]
    assert pod["argv"][:2] == ["kube-apiserver", "--anonymous-auth=false"]
    assert pod["images"] == ["registry.k8s.io/kube-apiserver:v1.34.1"]
    assert document["files"]["/etc/kubernetes/pki/ca.key"]["mode"] == 0o600
    assert document["files"]["/etc/kubernetes/enc.yaml"]["mode"] == 0o600
    assert document["files"]["/etc/kubernetes/super-admin.conf"] == {"exists": False}


def test_a_kops_master_tells_its_open_doors_and_its_miner(run, tmp_path):
    document = run(made(kops, tmp_path))
    assert "--insecure-port=8080" in document["processes"]["200"]["argv"][2]
    assert "--basic-auth-file=/srv/kubernetes/basic_auth.csv" in document["processes"]["200"]["argv"][2]
    assert document["processes"]["201"]["argv"][-2:] == ["--bootstrap-token", "reduced"]
    assert document["processes"]["203"]["miner"] is True
    assert document["mining"]["preload"] == ["/usr/local/lib/libprocesshider.so"]
    assert document["sockets"]["listening"][0]["port"] == 8080
    assert document["sockets"]["to_pools"] == [{"address": "10.0.0.2", "port": 3333, "pid": None}]
    assert document["processes"]["900"]["argv"] == ["/opt/app", "--password", "--db"]


def test_k3s_and_eks_tell_what_they_are_set_to(run, tmp_path):
    server = run(made(k3s, tmp_path / "k3s"))
    assert server["files"]["/etc/rancher/k3s/k3s.yaml"]["mode"] == 0o644
    assert yaml.safe_load(server["kubernetes"]["k3s_config"]["text"])["disable"] == ["traefik"]
    worker = run(made(eks, tmp_path / "eks"))
    assert json.loads(worker["kubelet"]["config"]["text"])["authentication"]["anonymous"] == {"enabled": False}
    assert worker["sysctl"] == {"running": {"net.ipv4.ip_forward": "1"}, "persistent": {"net.ipv4.ip_forward": "1", "kernel.panic": "10"}}
    assert worker["sshd"] == {"permitrootlogin": "no", "maxauthtries": "4"}
    assert worker["audit"]["disk"] == ["-w /usr/bin/dockerd -k docker"]
    assert worker["accounts"][0]["password"] == "sha512"


def test_every_pool_that_picket_knows_is_a_mark(run, tmp_path):
    markers = yaml.safe_load((ROOT / "shared/checks/markers/miners.yaml").read_text(encoding="utf-8"))
    kubeadm(tmp_path)
    put(tmp_path, "/etc/cron.d/x", "".join(f"1 * * * * root /usr/bin/x {d}\n" for d in markers["domains"]))
    cron = run(tmp_path)["mining"]["cron"]
    assert [d for d in markers["domains"] if not any(d in line for line in cron)] == []


def test_docker_is_asked_for_single_fields_alone(run, tmp_path):
    tree = made(eks, tmp_path / "tree")
    fake = tmp_path / "bin/docker"
    put(tmp_path, "/bin/docker", f"""
        #!/bin/sh
        case "$*" in
          *Env*|*'json .}}}}'*) echo '"{SECRETS["pod variable"]}"' ;;
          info) ;;
          info*) echo '{{"driver":"overlay2"}}' ;;
          "ps -aq") echo c1 ;;
          "inspect --format"*c1) echo '{{"id":"c1","privileged":true}}' ;;
        esac
        """, 0o755)  # fmt: skip
    document = run(tree, PICKET_LIVE="1", PATH=f"{fake.parent}:{os.environ['PATH']}")
    assert document["docker"]["containers"] == [{"id": "c1", "privileged": True}]
    assert document["docker"]["info"] == {"driver": "overlay2"}
    assert json.loads(document["docker"]["daemon"]["text"])["icc"] is False


def docker_node(tree: pathlib.Path) -> None:
    """A host of Docker that listens on TCP, with one container that runs sshd."""
    argv = ["/usr/bin/dockerd", "-H", "fd://", "-Htcp://0.0.0.0:2376", "--icc=false", "--tlsverify", "--label", f"token={SECRETS['flag token']}"]
    process(tree, 50, [*argv, "--log-level", "warn", "--log-opt", f"splunk-token={SECRETS['flag token']}"])
    process(tree, 60, ["sshd: /usr/sbin/sshd -D [listener]"])
    process(tree, 61, ["/usr/sbin/sshd", "-D"])
    process(tree, 70, ["/app"])
    for pid, namespace in ((1, 1), (50, 1), (60, 1), (61, 2), (70, 2)):
        (tree / f"proc/{pid}/ns").mkdir(parents=True)
        (tree / f"proc/{pid}/ns/pid").symlink_to(f"pid:[{namespace}]")
    put(tree, "/etc/docker/daemon.json", '{\n\t"tlscacert": "/etc/docker/ca.pem"\n}\n')
    put(tree, "/etc/docker/ca.pem", "", 0o444)
    put(tree, "/usr/bin/runc", "", 0o755)
    put(tree, "/etc/environment", "DOCKER_CONTENT_TRUST=1\n")
    put(tree, "/proc/70/root/bin/su", "", 0o4755)
    put(tree, "/proc/70/root/bin/ls", "", 0o755)
    state = f'{{"LocalAddr":"","ListenAddr":"0.0.0.0:2377","AdvertiseAddr":"10.0.0.1:2377","DataPathAddr":"","Token":"{SECRETS["flag token"]}"}}'
    put(tree, "/var/lib/docker/swarm/docker-state.json", state)


def test_docker_tells_how_it_is_set_without_what_may_be_a_secret(run, tmp_path):
    tree = made(eks, tmp_path)
    docker_node(tree)
    document = run(tree)
    docker = document["docker"]
    assert yaml.safe_load(docker["daemon"]["text"]) == {"tlscacert": "/etc/docker/ca.pem"}
    assert (docker["installed"], docker["running"], docker["user"], docker["content_trust"]) == (True, True, "0", True)
    assert docker["pid"] == "50" and document["processes"]["50"]["argv"][1:5] == ["-H", "fd://", "-Htcp://0.0.0.0:2376", "--icc=false"]
    assert document["files"]["/etc/docker/ca.pem"]["mode"] == 0o444
    assert document["files"]["/usr/bin/runc"]["mode"] == 0o755
    assert document["files"]["/usr/bin/dockerd"] == {"exists": False}
    assert not [name for name, secret in SECRETS.items() if secret in json.dumps(docker)]


def test_a_node_without_docker_says_so_and_one_without_a_file_says_that(run, tmp_path):
    tree = made(eks, tmp_path)
    assert {k: v for k, v in run(tree)["docker"].items() if k != "daemon"} == {"installed": False, "running": False}
    (tree / "etc/docker/daemon.json").unlink()
    process(tree, 50, ["dockerd"])
    docker = run(tree)["docker"]
    assert docker["daemon"] == {"path": "/etc/docker/daemon.json", "text": "{}"}
    assert docker["pid"] == "50"


def test_docker_counts_what_is_in_images_containers_and_the_audit_log(run, tmp_path):
    tree = made(eks, tmp_path / "tree")
    docker_node(tree)
    put(tmp_path, "/bin/docker", f"""
        #!/bin/sh
        case "$*" in
          "images -q") echo aaa; echo bbb; echo ccc; echo aaa ;;
          history*aaa) echo 'RUN /bin/sh -c apt-get update # buildkit'
            echo 'COPY a b # buildkit'; echo 'ADD http://h/x /opt/ # buildkit'; echo 'ENV API_TOKEN={SECRETS["flag token"]}'
            echo '/bin/sh -c #(nop) ADD file:0123 in / ' ;;
          history*ccc) exit 1 ;;
          history*bbb) echo 'RUN apt-get update && apt-get install -y x'; echo 'ENV TOKEN_FILE=/run/t PASSWORD=$X' ;;
          "ps -q") echo c1 ;;
          inspect*Pid*) echo 0123456789abcdef 70 ;;
          "network ls -q") seq 60 ;;
        esac
        """, 0o755)  # fmt: skip
    put(tmp_path, "/bin/auditctl", "#!/bin/sh\necho '-w /usr/bin/docker -p x -k docker'\n", 0o755)
    put(tmp_path, "/bin/ausearch", """
        #!/bin/sh
        echo 'type=EXECVE msg=audit(1): argc=5 a0=docker a1=exec a2=--privileged a3=c a4=sh'
        echo 'type=EXECVE msg=audit(2): argc=6 a0=docker a1=container a2=exec a3=-u a4=root a5=c'
        echo 'type=EXECVE msg=audit(3): argc=3 a0=docker a1=run a2=--privileged'
        """, 0o755)  # fmt: skip
    document = run(tree, PICKET_LIVE="1", PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    jsonschema.validate(document, SCHEMA)
    docker = document["docker"]
    assert docker["builds"] == {
        "aaa": {"adds": 1, "lone_updates": 1, "secrets": 1},
        "bbb": {"adds": 0, "lone_updates": 0, "secrets": 0},
        "ccc": {},
    }
    assert docker["setuid"] == {"0123456789ab": ["/bin/su"]}
    assert docker["sshd"] == ["61"], "the host's own sshd is no container's"
    assert docker["execs"] == {"privileged": 1, "as_root": 1}
    assert docker["swarm"] == {"listen": "0.0.0.0:2377", "advertise": "10.0.0.1:2377", "data_path": ""}
    assert docker["images"] is None, "ids without an answer are no empty list"
    assert docker["networks"] is None, "half a list would look like a clean one"
    assert docker["containers"] == []


@pytest.mark.skipif(not shutil.which("docker"), reason="Docker's client is not here")
@pytest.mark.parametrize("swarm", [True, False])
def test_dockers_own_client_understands_what_it_is_asked(run, tmp_path, swarm):
    tree = made(eks, tmp_path / "tree")
    with docker_api.served(tmp_path / "s", swarm) as host:
        document = run(tree, PICKET_LIVE="1", DOCKER_HOST=host, DOCKER_CONFIG=str(tmp_path))
    jsonschema.validate(document, SCHEMA)
    docker = document["docker"]
    assert (docker["info"]["swarm_manager"], docker["info"]["autolock"]) == ((True, True) if swarm else (False, None))
    assert docker["info"]["node_certificates"] == (7776000000000000 if swarm else None)
    app, checked = docker["containers"]
    assert (app["health"], checked["health"]) == (False, True)
    assert (app["network_mode"], app["cpu_shares"], app["pids_limit"], app["cap_add"], app["ulimits"]) == ("host", 512, 0, [], [])
    assert app["ports"]["80/tcp"] == [{"HostIp": "0.0.0.0", "HostPort": "8080"}]
    assert app["mounts"][0]["Source"] == "/etc"
    assert app["restart_policy"] == {"Name": "always", "MaximumRetryCount": 0}
    assert docker["images"] == [{"id": "sha256:" + "a" * 64, "tags": ["nginx:latest"], "user": "app", "healthcheck": True}]
    assert list(docker["builds"].values()) == [{"adds": 0, "lone_updates": 0, "secrets": 1}]
    assert [(n["name"], n["containers"], n["options"]) for n in docker["networks"]] == [("bridge", 1, {}), ("ingress", 0, {"encrypted": ""})]
    assert not [name for name, secret in SECRETS.items() if secret in json.dumps(docker)]


def test_what_docker_does_not_answer_is_never_an_empty_list(run, tmp_path):
    tree = made(eks, tmp_path / "tree")
    docker_node(tree)
    put(tmp_path, "/bin/docker", '#!/bin/sh\ncase "$*" in info) ;; "ps -q") echo c1 ;; *) exit 1 ;; esac\n', 0o755)
    put(tmp_path, "/bin/auditctl", "#!/bin/sh\necho '-w /usr/bin/docker -p x -k docker'\n", 0o755)
    put(tmp_path, "/bin/ausearch", "#!/bin/sh\necho 'Error opening config file' >&2\nexit 1\n", 0o755)
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    docker = run(tree, PICKET_LIVE="1", PATH=path)["docker"]
    assert {name: docker[name] for name in ("info", "containers", "images", "builds", "networks", "setuid", "execs")} == dict.fromkeys(
        ("info", "containers", "images", "builds", "networks", "setuid", "execs")
    )
    put(tmp_path, "/bin/ausearch", "#!/bin/sh\necho '<no matches>' >&2\nexit 1\n", 0o755)
    assert run(tree, PICKET_LIVE="1", PATH=path)["docker"]["execs"] == {"privileged": 0, "as_root": 0}


def test_a_docker_that_does_not_run_is_not_said_to_be_at_its_defaults(run, tmp_path):
    tree = made(eks, tmp_path)
    put(tree, "/usr/bin/dockerd", "", 0o755)
    (tree / "proc/1").mkdir(exist_ok=True)
    docker = run(tree)["docker"]
    assert (docker["installed"], docker["running"]) == (True, False)
    assert "pid" not in docker
    shutil.rmtree(tree / "proc/1")
    assert "running" not in run(tree)["docker"], "where no processes are to be seen nobody knows"


def test_bottlerocket_reports_on_itself_and_never_looks_for_updates(run, tmp_path):
    tree = made(eks, tmp_path / "tree")
    assert run(tree)["bottlerocket"] == {"here": False}
    put(tmp_path, "/bin/apiclient", """
        #!/bin/sh
        case "$*" in
          "report cis "*) echo '{"results":{"br01010101":{"name":"br01010101","status":"PASS"}}}' ;;
          "raw -u /updates/status") echo '{"update_state":"Idle"}' ;;
          *update*check*|*refresh*) touch "$PICKET_ROOT/looked" ;;
        esac
        """, 0o755)  # fmt: skip
    document = run(tree, PICKET_LIVE="1", PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert document["bottlerocket"]["cis"]["results"]["br01010101"]["status"] == "PASS"
    assert document["bottlerocket"]["updates"] == {"update_state": "Idle"}
    assert document["bottlerocket"]["settings"] is None
    assert not (tree / "looked").exists()


def test_only_the_sections_that_are_asked_for_are_told(script, tmp_path):
    tree = made(eks, tmp_path)
    some = script.parent / "some.sh"
    some.write_text(script.read_text(encoding="utf-8").replace("PICKET_SECTIONS='all'", "PICKET_SECTIONS='files,sshd'"), encoding="utf-8")
    done = subprocess.run(["sh", some, "plain"], env={"PATH": os.environ["PATH"], "PICKET_ROOT": str(tree)}, capture_output=True, check=True)
    assert set(json.loads(done.stdout)) == {"schema", "at", "files", "sshd", "unread"}


@pytest.mark.parametrize("awk", ["gawk", "mawk", "busybox awk"])
def test_every_awk_says_the_same(script, tree, tmp_path, awk):
    if not shutil.which(awk.split()[0]):
        pytest.skip(f"{awk} is not here")
    put(tmp_path, "/bin/awk", f'#!/bin/sh\nexec {awk} "$@"\n', 0o755)

    def say(path: str) -> dict:
        environment = {"PATH": path, "PICKET_ROOT": str(tree)}
        return json.loads(subprocess.run(["sh", script, "plain"], env=environment, capture_output=True, check=True).stdout)

    assert same(say(f"{tmp_path}/bin:{os.environ['PATH']}")) == same(say(os.environ["PATH"]))


@pytest.mark.parametrize(
    "text", ["authorization:\n  mode: AlwaysAllow\n", '{"authorization":{"mode":"AlwaysAllow"},"readOnlyPort":0}\n']
)
def test_what_a_rule_asks_is_not_taken_for_a_secret(run, tmp_path, text):
    put(tmp_path, "/var/lib/kubelet/config.yaml", text)
    assert yaml.safe_load(run(tmp_path)["kubelet"]["config"]["text"])["authorization"] == {"mode": "AlwaysAllow"}


def test_passwords_of_one_letter_and_in_lists_stay(run, tmp_path):
    """What databases and miners take with -p, and an array whose next element is the secret."""
    put(tmp_path, "/etc/cron.d/dump", "1 2 * * * root mysqldump -uroot -pHunter2Hunter2 all\n")
    put(tmp_path, "/etc/docker/daemon.json", '{"log-opts": {}, "exec-opts": ["--password","Hunter2Hunter2"]}\n')
    put(tmp_path, "/etc/rancher/k3s/config.yaml", 'kube-apiserver-arg:\n  - "oidc-client-secret=Hunter2Hunter2"\n  - "anonymous-auth=true"\n')
    process(tmp_path, 7, ["/tmp/xmrig", "-o", "stratum+tcp://pool.example:3333", "-u", "wallet", "-p", "Hunter2Hunter2"])
    process(tmp_path, 8, ["/tmp/xmrig", "-pHunter2Hunter2"])
    process(tmp_path, 9, ["/usr/bin/dockerd", "-p", "/run/docker.pid"])
    told = run(tmp_path)
    assert "Hunter2" not in json.dumps(told)
    assert told["processes"]["7"]["argv"][-2:] == ["-p", "reduced"]
    assert told["processes"]["9"]["argv"][-1] == "/run/docker.pid", "a path is no password"
    assert 'oidc-client-secret=reduced\\"' in json.dumps(told), "the line keeps its closing quote"


def test_secrets_in_the_words_of_a_script_stay(run, tmp_path):
    line = f"exec /usr/local/bin/kubelet --v=2 --bootstrap-token {SECRETS['flag token']} --config /etc/k.yaml"
    process(tmp_path, 7, ["/bin/sh", "-c", line])
    process(tmp_path, 8, [f"app: --password={SECRETS['process password']} kubelet"])
    told = run(tmp_path)["processes"]
    assert told["7"]["argv"][2] == "exec /usr/local/bin/kubelet --v=2 --bootstrap-token reduced --config /etc/k.yaml"
    assert told["8"]["argv"] == ["app:"]
