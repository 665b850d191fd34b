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


# What a control asks audit to see: files, programs, calls.
WATCHED = """/etc/group /etc/gshadow /etc/hosts /etc/issue /etc/issue.net /etc/localtime /etc/passwd /etc/security/opasswd /etc/selinux
    /etc/shadow /etc/sudoers /etc/sudoers.d /etc/sysconfig/network /etc/sysconfig/network-scripts /usr/share/selinux /var/log/btmp
    /var/log/lastlog /var/log/sudo.log /var/log/wtmp /var/run/faillock /var/run/utmp""".split()
RUN = "/usr/bin/chacl /usr/bin/chcon /usr/bin/kmod /usr/bin/setfacl /usr/bin/su /usr/sbin/usermod".split()
CALLS = """adjtimex,settimeofday,clock_settime sethostname,setdomainname mount unlink,unlinkat,rename,renameat
    init_module,finit_module,delete_module chmod,fchmod,fchmodat chown,fchown,lchown,fchownat
    setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr""".split()


def audit_rules() -> str:
    """Rules of audit as a benchmark has them."""
    lines = [f"-w {path} -p wa -k x" for path in WATCHED]
    lines += [f"-a always,exit -F path={path} -F perm=x -F auid>=1000 -F auid!=unset -k x" for path in RUN]
    for arch in ("b32", "b64"):
        lines += [f"-a always,exit -F arch={arch} -S {calls} -F auid>=1000 -F auid!=unset -k x" for calls in CALLS]
        lines += [f"-a always,exit -F arch={arch} -C euid!=uid -F auid!=unset -S execve -k x"]
        lines += [f"-a always,exit -F arch={arch} -S creat,open,openat,truncate,ftruncate -F exit=-{e} -F auid>=1000 -F auid!=unset -k x" for e in ("EACCES", "EPERM")]
    return "\n".join([*lines, "-e 2", ""])


SYSCTL = {
    **{f"net.ipv4.conf.{of}.{name}": "0" for of in ("all", "default") for name in ("accept_redirects", "accept_source_route", "secure_redirects", "send_redirects")},
    **{f"net.ipv6.conf.{of}.{name}": "0" for of in ("all", "default") for name in ("accept_ra", "accept_redirects", "accept_source_route")},
    **{f"net.ipv4.conf.{of}.{name}": "1" for of in ("all", "default") for name in ("log_martians", "rp_filter")},
    "net.ipv4.icmp_echo_ignore_broadcasts": "1", "net.ipv4.icmp_ignore_bogus_error_responses": "1", "net.ipv4.ip_forward": "0",
    "net.ipv4.tcp_syncookies": "1", "net.ipv6.conf.all.forwarding": "0", "kernel.randomize_va_space": "2", "kernel.yama.ptrace_scope": "1",
}  # fmt: skip
SSHD = """Port 22\nAllowGroups wheel\nAllowTcpForwarding no\nBanner /etc/issue.net\nClientAliveCountMax 3\nClientAliveInterval 15
HostbasedAuthentication no\nIgnoreRhosts yes\nLogLevel VERBOSE\nLoginGraceTime 60\nMaxAuthTries 4\nMaxSessions 10\nMaxStartups 10:30:60
PermitEmptyPasswords no\nPermitRootLogin no\nPermitUserEnvironment no\nUsePAM yes\nX11Forwarding no\n"""
PAM = """auth required pam_faillock.so preauth\npassword requisite pam_pwquality.so local_users_only
password required pam_pwhistory.so use_authtok\npassword sufficient pam_unix.so sha512 shadow use_authtok\n"""


def amazon(root: pathlib.Path) -> None:
    """A host of Amazon Linux 2023 that does what its benchmark asks, as far as files show it."""
    host(root, cron=False)
    for path in ("etc/sysctl.d/99-k8s.conf", "etc/docker/daemon.json", "root/.docker/config.json"):
        (root / path).unlink()
    put(root, "/proc/sys/kernel/osrelease", "6.1.119-129.201.amzn2023.x86_64\n")
    put(root, "/proc/cmdline", "root=UUID=x ro audit=1 audit_backlog_limit=8192 selinux=1 security=selinux\n")
    put(root, "/sys/fs/selinux/enforce", "1")
    put(root, "/proc/1/attr/current", "system_u:system_r:init_t:s0")
    put(root, "/proc/net/tcp", "  sl  local_address rem_address   st\n")
    for name, value in SYSCTL.items():
        put(root, f"/proc/sys/{name.replace('.', '/')}", f"{value}\n")
    put(root, "/proc/sys/net/ipv6/conf/all/disable_ipv6", "0\n")
    put(root, "/etc/sysctl.d/60-host.conf", "".join(f"{k} = {v}\n" for k, v in SYSCTL.items()))
    blocked = "cramfs dccp freevxfs hfs hfsplus jffs2 rds sctp squashfs tipc udf usb-storage".split()
    put(root, "/etc/modprobe.d/host.conf", "".join(f"install {m} /bin/false\nblacklist {m}\n" for m in blocked))
    put(root, "/proc/modules", "ext4 1 1 - Live 0x0\n")
    places = ("/tmp", "/var", "/var/tmp", "/var/log", "/var/log/audit", "/home", "/dev/shm")
    put(root, "/proc/1/mounts", "".join(f"/dev/x {p} xfs rw,nodev,nosuid,noexec 0 0\n" for p in places))
    put(root, "/etc/dnf/dnf.conf", "[main]\ngpgcheck=1\n")
    put(root, "/etc/yum.repos.d/amazonlinux.repo", "[amazonlinux]\ngpgcheck=1\n")
    tools = "auditctl auditd augenrules aureport ausearch autrace".split()
    put(root, "/etc/aide.conf", "".join(f"/sbin/{t} p+i+n+u+g+s+b+acl+xattrs+sha512\n" for t in tools))
    put(root, "/etc/cron.d/aide", "0 5 * * * root /usr/sbin/aide --check\n")
    (root / "etc/cron.d").chmod(0o700)
    put(root, "/etc/cron.allow", "", 0o640)
    for tool in tools:
        put(root, f"/sbin/{tool}", "", 0o755)
    put(root, "/etc/systemd/coredump.conf", "[Coredump]\nStorage=none\nProcessSizeMax=0\n")
    put(root, "/etc/systemd/journald.conf", "[Journal]\nCompress=yes\nForwardToSyslog=yes\nStorage=persistent\n")
    put(root, "/etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=targeted\n")
    for name in ("motd", "issue", "issue.net"):
        put(root, f"/etc/{name}", "Authorized use only.\n")
    put(root, "/etc/crypto-policies/config", "DEFAULT\n")
    put(root, "/etc/chrony.conf", "server 169.254.169.123 prefer iburst\n")
    put(root, "/etc/sysconfig/chronyd", 'OPTIONS="-F 2 -u chrony"\n')
    put(root, "/etc/ssh/sshd_config", SSHD, 0o600)
    put(root, "/etc/ssh/ssh_host_ed25519_key", SECRETS["client key"], 0o600)
    put(root, "/etc/ssh/ssh_host_ed25519_key.pub", "ssh-ed25519 AAAA\n")
    put(root, "/etc/sudoers", 'Defaults use_pty\nDefaults logfile="/var/log/sudo.log"\nDefaults timestamp_timeout=15\n', 0o440)
    put(root, "/etc/pam.d/su", "auth required pam_wheel.so use_uid group=nobodys\n")
    put(root, "/etc/pam.d/system-auth", PAM)
    put(root, "/etc/pam.d/password-auth", PAM)
    put(root, "/etc/authselect/authselect.conf", "custom/ours\nwith-faillock\n")
    put(root, "/etc/security/pwquality.conf", "minlen = 14\nminclass = 4\n")
    put(root, "/etc/security/faillock.conf", "deny = 5\nunlock_time = 900\n")
    put(root, "/etc/security/pwhistory.conf", "remember = 5\n")
    put(root, "/etc/login.defs", "PASS_MAX_DAYS 365\nPASS_MIN_DAYS 1\nPASS_WARN_AGE 7\nUMASK 027\nENCRYPT_METHOD SHA512\nUID_MIN 1000\n")
    put(root, "/etc/default/useradd", "INACTIVE=30\n")
    put(root, "/etc/profile.d/host.sh", "umask 027\nreadonly TMOUT=900 ; export TMOUT\n")
    put(root, "/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nchrony:x:997:997::/:/sbin/nologin\nann:x:1000:1000::/home/ann:/bin/bash\n")
    put(root, "/etc/shadow", f"root:*:19000::::::\nchrony:!!:19000::::::\nann:{SECRETS['password hash']}:19000:1:365:7:30::\n", 0o000)
    put(root, "/etc/group", "root:x:0:\nchrony:x:997:\nann:x:1000:\n")
    for home in ("root", "home/ann"):
        (root / home).mkdir(parents=True, exist_ok=True)
        (root / home).chmod(0o700)
    put(root, "/etc/rsyslog.conf", '$FileCreateMode 0640\n*.* action(type="omfwd" target="logs.example.com")\n')
    put(root, "/etc/audit/auditd.conf", "max_log_file = 8\nmax_log_file_action = keep_logs\nspace_left_action = email\naction_mail_acct = root\nadmin_space_left_action = halt\n", 0o640)
    (root / "etc/audit/rules.d/docker.rules").unlink()
    put(root, "/etc/audit/rules.d/60-host.rules", audit_rules(), 0o640)
    put(root, "/var/log/audit/audit.log", "", 0o600)
    (root / "var/log/audit").chmod(0o750)
    put(root, "/usr/bin/su", "", 0o4755)
    if os.getuid() == 0:
        os.chown(root / "home/ann", 1000, 1000)
        os.chown(root / "usr/bin/su", 0, 0)
        (root / "usr/bin/su").chmod(0o4755)


TREES = {"amazon": amazon, "eks": eks, "k3s": k3s, "kops": kops, "kubeadm": kubeadm}
