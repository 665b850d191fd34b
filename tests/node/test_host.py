"""What the collector says of the operating system: a host of Amazon Linux 2023, as it comes and as it should be."""

import json
import os
import pathlib
import stat
import subprocess

import jsonschema
import pytest
from conftest import ROOT, SHELLS
from trees import process, put

SCHEMA = json.loads((ROOT / "infra/node/node.schema.json").read_text(encoding="utf-8"))
HASH = "$6$planted$abcdefghijklmnopqrstuvwxyz0123456789"
SECRET = "planted-host-secret-4c1d"

RULES = """
    ## remark
    -D
    -w /etc/sudoers -p wa -k scope
    -w /etc/sudoers.d/ -p wa -k scope
    -w /var/run/utmp -p wa -k session
    -a always,exit -F arch=b64 -S adjtimex,settimeofday -S clock_settime -k time-change
    -a always,exit -F arch=b64 -C euid!=uid -F auid!=unset -S execve -k user_emulation
    -a always,exit -F arch=b32 -S openat -F exit=-EACCES -F auid>=1000 -F auid!=unset -F key=access
    -a always,exit -F path=/usr/bin/chcon -F perm=x -F auid>=1000 -F auid!=unset -k perm_chng
    -a always,exit -F arch=b64 -S mount -F uid=5 -k narrowed
    -a never,exit -F arch=b64 -S umount2
    -e 2
    """


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    put(tmp_path, "/etc/os-release", 'ID="amzn"\nVERSION_ID="2023"\n')
    accounts = ("root:x:0:0::/root:/bin/bash", "sync:x:5:0::/sbin:/bin/sync", "sshd:x:74:74::/:/sbin/nologin", "ann:x:1000:1000::/home/ann:/bin/bash", "bob:x:1001:7777::/home/bob:/bin/bash")
    put(tmp_path, "/etc/passwd", "\n".join(accounts) + "\n")
    put(tmp_path, "/etc/shadow", f"root:*LOCK*:19000::::::\nsshd:!!:19000::::::\nann:{HASH}:19000:1:365:7:30::\nbob::19000:0:99999:7:::\n", 0o000)
    put(tmp_path, "/etc/group", "root:x:0:\nsshd:x:74:\nann:x:1000:\n")
    return tmp_path


@pytest.fixture(params=SHELLS, ids=lambda s: s[0])
def run(request, script):
    """Asks for some parts alone, in plain words: the whole is `test_collector`'s."""
    text = script.read_text(encoding="utf-8").replace("PICKET_SECTIONS='all'", "")

    def go(root: pathlib.Path, **variables: str) -> dict:
        environment = {"PATH": os.environ["PATH"], "PICKET_ROOT": str(root), **variables}
        done = subprocess.run([*request.param, "-s", "plain"], input=text, env=environment, capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)

    return go


def told(run, root: pathlib.Path, part: str) -> dict:
    document = run(root, PICKET_SECTIONS=part)
    jsonschema.validate(document, SCHEMA)
    assert SECRET not in json.dumps(document)
    assert HASH not in json.dumps(document)
    return document.get(part, {"unread": document["unread"]})


def test_accounts_tell_their_kind_and_never_a_hash(run, root):
    root_, sync, sshd, ann, bob = told(run, root, "accounts")
    assert sshd["system"] == {"shell": "/sbin/nologin", "password": "locked"}
    assert not {"system"} & (root_.keys() | sync.keys() | ann.keys())
    assert (ann["password"], bob["password"], sshd["password"]) == ("sha512", "empty", "locked")
    assert (ann["group_known"], bob["group_known"]) == (True, False)


def test_mail_that_listens_beyond_the_host_is_told_by_its_port(run, root):
    head = "  sl  local_address rem_address   st\n"
    line = "   {n}: {at} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 11 1\n"
    local = [("0100007F:0019", "0A"), ("0200000A:0019", "01"), ("00000000:0016", "0A")]
    put(root, "/proc/net/tcp", head + "".join(line.format(n=n, at=at, state=state) for n, (at, state) in enumerate(local)))
    put(root, "/proc/net/tcp6", head + line.format(n=0, at="00000000000000000000000001000000:0019", state="0A"))
    assert told(run, root, "settings")["mail"] == {"open_ports": ""}
    put(root, "/proc/net/tcp6", head + line.format(n=0, at="00000000000000000000000000000000:024B", state="0A") + line.format(n=1, at="00000000000000000000000000000000:0019", state="0A"))
    assert told(run, root, "settings")["mail"] == {"open_ports": "25,587"}


def test_what_was_not_there_to_read_is_unread_and_not_empty(run, tmp_path):
    (tmp_path / "etc").mkdir()
    document = run(tmp_path, PICKET_SECTIONS="accounts,groups,mounts,packages")
    assert {"accounts", "groups", "mounts", "packages"} <= set(document["unread"])


def test_mounts_tell_their_options(run, root):
    put(root, "/proc/mounts", "/dev/x / xfs rw 0 0\ntmpfs /tmp tmpfs rw,nosuid,nodev,size=1g 0 0\nproc /proc/fs proc rw 0 0\n")
    assert told(run, root, "mounts") == [
        {"path": "/", "type": "xfs", "options": ["rw"]},
        {"path": "/tmp", "type": "tmpfs", "options": ["rw", "nosuid", "nodev", "size=1g"]},
    ]


def test_audit_rules_are_told_as_they_are_without_remarks(run, root):
    put(root, "/etc/audit/rules.d/50.rules", RULES)
    lines = [line.strip() for line in RULES.splitlines() if line.strip() and "#" not in line]
    assert [line.strip() for line in told(run, root, "audit")["disk"]] == lines


def test_rules_in_force_are_asked_of_the_kernel_and_never_guessed(run, root, tmp_path):
    tools = tmp_path / "tools"
    put(tools, "/auditctl", '#!/bin/sh\nif [ "$1" = -l ]; then echo "-w /etc/sudoers -p wa -k scope"; else echo "enabled 2"; fi\n', 0o755)
    path = f"{tools}:{os.environ['PATH']}"
    assert run(root, PICKET_SECTIONS="audit", PICKET_LIVE="1", PATH=path)["audit"]["loaded"] == ["-w /etc/sudoers -p wa -k scope", "-e 2"]
    put(tools, "/auditctl", "#!/bin/sh\necho denied >&2\nexit 4\n", 0o755)
    assert "loaded" not in run(root, PICKET_SECTIONS="audit", PICKET_LIVE="1", PATH=path)["audit"]


def test_settings_are_the_ones_that_count(run, root):
    put(root, "/etc/systemd/journald.conf", "[Journal]\n#Storage=auto\nStorage=volatile\nCompress=no\n")
    put(root, "/etc/systemd/journald.conf.d/60-x.conf", "[Journal]\nStorage=persistent\n")
    put(root, "/etc/systemd/coredump.conf", "[Coredump]\nStorage=none\nProcessSizeMax=0\n")
    put(root, "/etc/security/pwquality.conf", "# minlen = 8\nminlen = 14\nminclass=4\n")
    put(root, "/etc/security/faillock.conf", "deny = 10\nunlock_time = 900\n")
    pam = "auth required pam_env.so\nauth required pam_faillock.so preauth deny=5\npassword requisite pam_pwquality.so local_users_only\npassword sufficient pam_unix.so sha512 shadow use_authtok remember=5\n"
    put(root, "/etc/pam.d/system-auth", pam)
    put(root, "/etc/pam.d/password-auth", pam.replace("sha512", "md5"))
    put(root, "/etc/login.defs", "PASS_MAX_DAYS 365\nUMASK 027\nENCRYPT_METHOD SHA512\n")
    put(root, "/etc/dnf/dnf.conf", f"[main]\ngpgcheck=1\nproxy_password={SECRET}\n")
    put(root, "/etc/selinux/config", "SELINUX=Enforcing\nSELINUXTYPE=targeted\n")
    put(root, "/etc/sysconfig/sshd", "# remark\nCRYPTO_POLICY=\n")
    put(root, "/etc/audit/auditd.conf", "max_log_file = 8\nspace_left_action = SYSLOG\n")
    put(root, "/etc/firewalld/firewalld.conf", "DefaultZone=public\n")
    said = told(run, root, "settings")
    assert said["journald"] == {"Storage": "persistent", "Compress": "no"}
    assert said["coredump"] == {"Storage": "none", "ProcessSizeMax": "0"}
    assert said["pwquality"] == {"minlen": "14", "minclass": "4", "asked_by": "system-auth,password-auth"}
    assert said["faillock"] == {"deny": "5", "unlock_time": "900", "asked_by": "system-auth,password-auth"}
    assert said["pwhistory"] == {"remember": "5", "asked_by": "system-auth,password-auth"}
    assert said["pam_unix"] == {"hash": "sha512,md5"}
    assert said["login_defs"] == {"PASS_MAX_DAYS": "365", "UMASK": "027", "ENCRYPT_METHOD": "SHA512"}
    assert said["dnf"] == {"gpgcheck": "1"}
    assert said["selinux"] == {"SELINUX": "enforcing", "SELINUXTYPE": "targeted"}
    assert said["sshd"] == {"CRYPTO_POLICY": ""}
    assert said["auditd"] == {"max_log_file": "8", "space_left_action": "syslog"}
    assert said["firewalld"] == {"DefaultZone": "public"}
    assert "nft" not in said, "the running system was not asked"


def test_what_sudo_is_told_is_four_words(run, root):
    put(root, "/etc/sudoers", f'Defaults use_pty, \\\n  logfile="/var/log/sudo.log"\nDefaults:ann !authenticate\nDefaults timestamp_timeout=15, env_keep += "A B"\nDefaults badpass_message="{SECRET}"\nroot ALL=(ALL) ALL\n', 0o440)
    assert told(run, root, "settings")["sudo"] == {"authenticate": "false", "logfile": "/var/log/sudo.log", "timestamp_timeout": "15", "use_pty": "true"}


def test_of_shells_only_the_mask_and_the_time_are_told(run, root):
    put(root, "/etc/profile", "if [ $UID -gt 199 ]; then\n    umask 002\nelse umask u=rwx,g=rx,o=; fi\n# umask 777\n")
    put(root, "/etc/profile.d/timeout.sh", f"export TOKEN={SECRET} TMOUT=60\nreadonly TMOUT=900 ; export TMOUT\n")
    said = told(run, root, "configs")
    assert said["/etc/profile"] == ["umask 002", "umask u=rwx,g=rx,o="]
    assert said["/etc/profile.d/timeout.sh"] == ["TMOUT=60", "readonly TMOUT=900", "export TMOUT"]


def test_time_logs_and_aide_are_told_without_their_hosts(run, root):
    put(root, "/etc/chrony.conf", "sourcedir /run/chrony.d\n")
    put(root, "/run/chrony.d/link-local.sources", "server 169.254.169.123 prefer iburst\n")
    process(root, 50, ["/usr/sbin/chronyd", "-F", "2"], uid=74)
    put(root, "/proc/50/comm", "chronyd\n")
    put(root, "/etc/rsyslog.conf", f"$FileCreateMode 0640\n*.* action(type=\"omfwd\" target=\"{SECRET}\")\n# module(load=\"imtcp\")\n")
    put(root, "/etc/cron.d/aide", "0 5 * * * root /usr/sbin/aide --check\n")
    said = told(run, root, "settings")
    assert said["chrony"] == {"sources": "1", "user": "sshd"}
    assert said["rsyslog"] == {"create_mode": "0640", "receives": "false", "sends": "true"}
    assert said["aide"] == {"cron": "true"}


def test_a_firewall_is_told_by_its_chains(run, root, tmp_path):
    tools = tmp_path / "tools"
    rules = 'table inet filter {\n chain input {\n  type filter hook input priority 0; policy drop;\n  iif "lo" accept\n  ip saddr 127.0.0.0/8 counter drop\n }\n chain forward {\n  type filter hook forward priority 0; policy accept;\n }\n}\n'
    put(tools, "/rules", rules)
    put(tools, "/nft", f"#!/bin/sh\ncat {tools}/rules\n", 0o755)
    said = run(root, PICKET_SECTIONS="settings", PICKET_LIVE="1", PATH=f"{tools}:{os.environ['PATH']}")["settings"]["nft"]
    assert said == {"tables": "1", "input": "drop", "forward": "accept", "loopback_accepted": "true", "loopback_spoofed_dropped": "true"}
    put(tools, "/nft", "#!/bin/sh\nexit 1\n", 0o755)
    assert "nft" not in run(root, PICKET_SECTIONS="settings", PICKET_LIVE="1", PATH=f"{tools}:{os.environ['PATH']}")["settings"]


def test_guarded_files_are_told_by_their_part(run, root):
    put(root, "/etc/ssh/ssh_host_ed25519_key", SECRET, 0o640)
    put(root, "/etc/ssh/ssh_host_ed25519_key.pub", "ssh-ed25519 AAAA\n")
    put(root, "/etc/audit/auditd.conf", "log_file = /var/log/elsewhere/audit.log\n", 0o640)
    put(root, "/var/log/elsewhere/audit.log", SECRET, 0o600)
    put(root, "/var/log/messages", SECRET, 0o644)
    put(root, "/var/log/secure", SECRET, 0o640)
    put(root, "/var/log/wtmp", "", 0o664)
    put(root, "/sbin/auditctl", "", 0o755)
    put(root, "/home/ann/.netrc", SECRET, 0o600)
    put(root, "/home/ann/.bashrc", "x\n", 0o644)
    put(root, "/home/ann/.profile", "x\n", 0o666)
    (root / "home/ann").chmod(0o700)
    (root / "root").mkdir()
    (root / "opt/bin").mkdir(parents=True)
    (root / "opt/bin").chmod(0o777)
    put(root, "/root/.bash_profile", "PATH=$PATH:$HOME/bin:/opt/bin:.\nexport PATH\n")
    parts = told(run, root, "guarded")
    paths = {name: [f["path"] for f in files] for name, files in parts.items()}
    assert paths["ssh_private_keys"] == ["/etc/ssh/ssh_host_ed25519_key"]
    assert paths["ssh_public_keys"] == ["/etc/ssh/ssh_host_ed25519_key.pub"]
    assert (paths["audit_logs"], paths["audit_log_directory"]) == (["/var/log/elsewhere/audit.log"], ["/var/log/elsewhere"])
    assert (paths["audit_config"], paths["audit_tools"]) == (["/etc/audit/auditd.conf"], ["/sbin/auditctl"])
    assert paths["open_logs"] == ["/var/log/messages"]
    assert sorted(paths["open_dot_files"]) == ["/home/ann/.netrc", "/home/ann/.profile"]
    assert sorted(paths["open_root_path"])[1:] == ["/opt/bin", "/root/bin"], "and a relative one before"
    assert parts["ssh_private_keys"][0]["mode"] == 0o640
    homes = {f["user"]: f for f in parts["homes"]}
    assert (homes["ann"]["mode"], homes["bob"].get("exists")) == (stat.S_IMODE((root / "home/ann").stat().st_mode), False)
    if os.getuid() == 0:
        assert "/home/ann" in paths["homes_of_others"], "root made it"


def test_services_that_selinux_does_not_hold_are_named(run, root):
    put(root, "/proc/1/attr/current", "system_u:system_r:init_t:s0")
    put(root, "/proc/9/attr/current", "system_u:system_r:unconfined_service_t:s0")
    put(root, "/proc/9/comm", "agent\n")
    assert told(run, root, "host")["unconfined"] == ["agent"]


def test_the_profile_of_pam_is_told(run, root):
    put(root, "/etc/authselect/authselect.conf", "custom/ours\nwith-faillock\n")
    assert told(run, root, "configs")["/etc/authselect/authselect.conf"] == ["custom/ours", "with-faillock"]


def test_units_that_systemd_does_not_list_are_unread_and_not_gone(run, root, tmp_path):
    tools = tmp_path / "tools"
    put(tools, "/systemctl", '#!/bin/sh\ncase "$1" in list-unit-files) echo "sshd.service enabled enabled" ;; *) echo "sshd.service loaded active running x" ;; esac\n', 0o755)
    asked = {"PICKET_SECTIONS": "systemd", "PICKET_LIVE": "1", "PATH": f"{tools}:{os.environ['PATH']}"}
    assert run(root, **asked)["systemd"] == {"files": {"sshd.service": "enabled"}, "active": ["sshd.service"]}
    put(tools, "/systemctl", "#!/bin/sh\nexit 1\n", 0o755)
    assert "systemd" in run(root, **asked)["unread"]


def test_a_kernel_that_was_not_asked_has_no_empty_lists(run, root):
    document = run(root, PICKET_SECTIONS="host,modules")
    assert "command_line" not in document["host"]
    assert document["modules"] == {"told": []}
    put(root, "/proc/cmdline", "ro selinux=1\n")
    put(root, "/proc/modules", "ext4 1 1 - Live 0x0\n")
    document = run(root, PICKET_SECTIONS="host,modules")
    assert document["host"]["command_line"] == ["ro selinux=1"]
    assert document["modules"]["loaded"] == ["ext4"]
