"""File trees as nodes have them: kubeadm, kops, k3s and EKS, each with secrets planted where nodes keep them."""

import base64
import os
import pathlib
import textwrap

# Each is planted somewhere, and must be nowhere in what the collector says.
SECRETS = {
    "kubeconfig token": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmVkLWJ5LW5vYm9keQ",
    "client key": base64.b64encode(b"a client's private key, planted").decode(),
    "encryption key": base64.b64encode(b"sixteen-byte-key-that-is-planted").decode(),
    "registry auth": base64.b64encode(b"puller:planted-registry-password").decode(),
    "pod variable": "planted-pod-variable-9f2c",
    "process password": "planted-process-password-71ab",
    "flag token": "planted-flag-token-55e0",
    "password hash": "$6$planted$abcdefghijklmnopqrstuvwxyz0123456789",
    "bootstrap token": "abcdef.0123456789abcdef",
    "proxy password": "planted-proxy-password",
    "cron password": "planted-cron-password",
    "containerd password": "planted-containerd-password",
    "block secret": "planted-block-scalar-secret",
}


def put(root: pathlib.Path, path: str, text: str = "", mode: int = 0o644) -> None:
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    file.chmod(mode)


def process(root: pathlib.Path, pid: int, argv: list[str], env: dict[str, str] | None = None, uid: int = 0) -> None:
    place = root / "proc" / str(pid)
    place.mkdir(parents=True, exist_ok=True)
    (place / "cmdline").write_bytes(b"".join(a.encode() + b"\0" for a in argv))
    (place / "environ").write_bytes(b"".join(f"{k}={v}".encode() + b"\0" for k, v in (env or {}).items()))
    (place / "status").write_text(f"Name:\tx\nPPid:\t1\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n", encoding="utf-8")


def host(root: pathlib.Path, cron: bool = True) -> None:
    """What every node has; with cron, what nobody should have."""
    put(root, "/etc/passwd", "root:x:0:0:root:/root:/bin/bash\netcd:x:998:998::/var/lib/etcd:/sbin/nologin\n")
    put(root, "/etc/shadow", f"root:{SECRETS['password hash']}:19000:0:99999:7:::\netcd:!!:19000::::::\n", 0o000)
    put(root, "/etc/group", "root:x:0:\netcd:x:998:\ndocker:x:991:ec2-user\n")
    put(root, "/etc/os-release", 'ID="amzn"\nVERSION_ID="2023"\n')
    put(root, "/proc/sys/net/ipv4/ip_forward", "1\n")
    put(root, "/etc/sysctl.d/99-k8s.conf", "net.ipv4.ip_forward = 1\n# remark\nkernel.panic=10\n")
    put(root, "/etc/ssh/sshd_config", "PermitRootLogin no\nMaxAuthTries 4\nMatch User x\nPermitRootLogin yes\n", 0o600)
    put(root, "/etc/audit/rules.d/docker.rules", "-w /usr/bin/dockerd -k docker\n# remark\n")
    if cron:
        put(root, "/etc/cron.d/backup", f"0 1 * * * root curl -u x --password={SECRETS['cron password']} http://h/b | sh\n")
    put(root, "/etc/docker/daemon.json", f'{{"icc": false, "http-proxy": "http://u:{SECRETS["proxy password"]}@proxy:3128"}}\n')
    put(root, "/root/.docker/config.json", f'{{"auths":{{"h":{{"auth":"{SECRETS["registry auth"]}"}}}}}}\n', 0o600)
    put(
        root,
        "/etc/containerd/config.toml",
        f'[plugins."io.containerd.grpc.v1.cri".registry.configs."h".auth]\n  username = "u"\n'
        f'  password = "{SECRETS["containerd password"]}"\n  auth = "{SECRETS["registry auth"]}"\n',
    )
    process(root, 1, ["/sbin/init"])
    process(root, 900, ["/opt/app", "--password", SECRETS["process password"], f"--db=x:{SECRETS['process password']}"])


def kubeconfig(root: pathlib.Path, path: str, mode: int = 0o600) -> None:
    text = f"users:\n- user:\n    token: {SECRETS['kubeconfig token']}\n    client-key-data: {SECRETS['client key']}\n"
    put(root, path, text, mode)


# The flags of a hardened control plane.
SERVER = """--anonymous-auth=false --audit-log-maxage=30 --audit-log-maxbackup=10 --audit-log-maxsize=100
    --audit-log-path=/var/log/audit.log --audit-policy-file=/etc/kubernetes/audit.yaml --authorization-mode=Node,RBAC
    --client-ca-file=/etc/kubernetes/pki/ca.crt --enable-bootstrap-token-auth=true
    --enable-admission-plugins=AlwaysPullImages,DenyServiceExternalIPs,EventRateLimit,NodeRestriction
    --encryption-provider-config=/etc/kubernetes/enc.yaml --etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt
    --etcd-certfile=/etc/kubernetes/pki/a-etcd.crt --etcd-keyfile=/etc/kubernetes/pki/a-etcd.key
    --kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt --kubelet-client-certificate=/etc/kubernetes/pki/a.crt
    --kubelet-client-key=/etc/kubernetes/pki/a.key --profiling=false --service-account-extend-token-expiration=false
    --service-account-key-file=/etc/kubernetes/pki/sa.pub --tls-cert-file=/etc/kubernetes/pki/apiserver.crt
    --tls-cipher-suites=TLS_AES_128_GCM_SHA256 --tls-private-key-file=/etc/kubernetes/pki/apiserver.key""".split()
MANAGER = """kube-controller-manager --bind-address=127.0.0.1 --profiling=false --root-ca-file=/etc/kubernetes/pki/ca.crt
    --service-account-private-key-file=/etc/kubernetes/pki/sa.key --terminated-pod-gc-threshold=10
    --use-service-account-credentials=true""".split()
ETCD = """etcd --cert-file=/e/server.crt --key-file=/e/server.key --data-dir=/var/lib/etcd --peer-cert-file=/e/peer.crt
    --peer-key-file=/e/peer.key --peer-client-cert-auth=true --trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt""".split()
SCHEDULER = "kube-scheduler --bind-address=127.0.0.1 --profiling=false".split()
PROXY = "kube-proxy --metrics-bind-address=127.0.0.1:10249 --kubeconfig=/var/lib/kube-proxy/kubeconfig.conf".split()


def kubeadm(root: pathlib.Path) -> None:
    """A control-plane node, hardened: structured files in order, keys closed."""
    host(root, cron=False)
    for name in ("admin", "controller-manager", "scheduler", "kubelet"):
        kubeconfig(root, f"/etc/kubernetes/{name}.conf")
    put(root, "/etc/kubernetes/pki/ca.crt", "a certificate\n")
    put(root, "/etc/kubernetes/pki/ca.key", f"-----BEGIN KEY-----\n{SECRETS['client key']}\n", 0o600)
    put(
        root,
        "/etc/kubernetes/enc.yaml",
        f"""
        kind: EncryptionConfiguration
        resources:
          - resources: [secrets, configmaps]
            providers:
              - aescbc:
                  keys:
                    - name: key1
                      secret: {SECRETS["encryption key"]}
              - identity: {{}}
        """,
        0o600,
    )
    put(root, "/etc/kubernetes/audit.yaml", "kind: Policy\nrules:\n- level: Metadata\n")
    lines = "\n".join(f"    - {f}" for f in ["kube-apiserver", *SERVER])
    put(
        root,
        "/etc/kubernetes/manifests/kube-apiserver.yaml",
        "kind: Pod\nmetadata:\n  annotations:\n    note: |\n      " + SECRETS["block secret"] + "\n"
        f"spec:\n  hostNetwork: true\n  containers:\n  - command:\n{lines}\n    image: registry.k8s.io/kube-apiserver:v1.34.1\n"
        f"    env:\n    - name: TOKEN\n      value: {SECRETS['pod variable']}\n",
        0o600,
    )
    put(
        root,
        "/var/lib/kubelet/config.yaml",
        f"""
        kind: KubeletConfiguration
        authentication:
          anonymous:
            enabled: false
          x509:
            clientCAFile: /etc/kubernetes/pki/ca.crt
        authorization:
          mode: Webhook
        podPidsLimit: 4096
        protectKernelDefaults: true
        readOnlyPort: 0
        rotateCertificates: true
        seccompDefault: true
        serverTLSBootstrap: true
        tlsCipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
        staticPodURLHeader:
          Authorization:
          - Bearer {SECRETS["flag token"]}
        """,
        0o600,
    )
    process(root, 100, ["/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml", "--kubeconfig=/etc/kubernetes/kubelet.conf"])
    process(root, 101, ["kube-apiserver", *SERVER])
    for pid, argv in enumerate((MANAGER, SCHEDULER, PROXY), start=103):
        process(root, pid, argv)
    kubeconfig(root, "/var/lib/kube-proxy/kubeconfig.conf")
    process(root, 102, ETCD, {"ETCD_CLIENT_CERT_AUTH": "true", "ETCD_PASSWORD": SECRETS["process password"]}, 998)
    (root / "var/lib/etcd").mkdir(parents=True)
    (root / "var/lib/etcd").chmod(0o700)
    if os.getuid() == 0:
        os.chown(root / "var/lib/etcd", 998, 998)


def kops(root: pathlib.Path) -> None:
    """A master as kops 1.10 made it: open ports, anonymous, basic authentication, etcd without TLS."""
    host(root)
    put(root, "/srv/kubernetes/basic_auth.csv", f"{SECRETS['process password']},admin,admin\n", 0o600)
    put(root, "/srv/kubernetes/known_tokens.csv", f"{SECRETS['flag token']},admin,admin\n", 0o600)
    kubeconfig(root, "/var/lib/kubelet/kubeconfig", 0o644)
    server = (
        "/usr/local/bin/kube-apiserver --allow-privileged=true --authorization-mode=AlwaysAllow --anonymous-auth=true "
        "--basic-auth-file=/srv/kubernetes/basic_auth.csv --insecure-bind-address=127.0.0.1 --insecure-port=8080 "
        "--token-auth-file=/srv/kubernetes/known_tokens.csv --etcd-servers=http://127.0.0.1:4001 --v=2 2>&1 | /bin/tee -a /var/log/x.log"
    )
    process(root, 200, ["/bin/sh", "-c", server])
    process(root, 201, ["/usr/local/bin/kubelet", "--allow-privileged=true", "--kubeconfig=/var/lib/kubelet/kubeconfig", "--read-only-port=10255", "--anonymous-auth=true", "--bootstrap-token", SECRETS["flag token"]])
    process(root, 202, ["/usr/local/bin/etcd"], {"ETCD_DATA_DIR": "/var/etcd/data", "ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:4001"})
    process(root, 203, ["/tmp/.x/kworkerds", "-o", "stratum+tcp://pool.supportxmr.com:3333", "-u", "wallet"])
    put(root, "/etc/kubernetes/manifests/kube-apiserver.manifest", "kind: Pod\nspec:\n  containers:\n  - command: [/bin/sh, -c, x]\n")
    put(root, "/etc/ld.so.preload", "/usr/local/lib/libprocesshider.so\n")
    put(
        root,
        "/proc/net/tcp",
        "  sl  local_address rem_address   st\n"
        "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1\n"
        "   1: 0100000A:A000 0200000A:0D05 01 00000000:00000000 00:00000000 00000000     0        0 12 1\n",
    )


def k3s(root: pathlib.Path) -> None:
    """A server of k3s: one process, its own folders."""
    host(root)
    kubeconfig(root, "/etc/rancher/k3s/k3s.yaml", 0o644)
    put(root, "/etc/rancher/k3s/config.yaml", f"token: {SECRETS['flag token']}\ndisable: [traefik]\nagent-token: |\n  {SECRETS['block secret']}\n", 0o600)
    put(root, "/var/lib/rancher/k3s/server/tls/server-ca.key", SECRETS["client key"], 0o600)
    kubeconfig(root, "/var/lib/rancher/k3s/server/cred/scheduler.kubeconfig")
    process(root, 300, ["/usr/local/bin/k3s", "server", f"--token={SECRETS['flag token']}"])


def eks(root: pathlib.Path) -> None:
    """A worker of EKS on Amazon Linux 2023: the kubelet's file is JSON."""
    host(root)
    put(
        root,
        "/etc/kubernetes/kubelet/config.json",
        '{"kind":"KubeletConfiguration","authentication":{"anonymous":{"enabled":false},"webhook":{"enabled":true}},'
        f'"readOnlyPort":0,"staticPodURLHeader":{{"Authorization":["Bearer {SECRETS["flag token"]}"]}},"token":"{SECRETS["bootstrap token"]}"}}\n',
    )
    kubeconfig(root, "/var/lib/kubelet/kubeconfig", 0o644)
    put(root, "/etc/cni/net.d/10-aws.conflist", "{}\n")
    process(root, 400, ["/usr/bin/kubelet", "--config=/etc/kubernetes/kubelet/config.json", "--kubeconfig", "/var/lib/kubelet/kubeconfig", "--node-ip=10.0.0.1"])


TREES = {"eks": eks, "k3s": k3s, "kops": kops, "kubeadm": kubeadm}
