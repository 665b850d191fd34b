# The operating system: what it is, its settings, its accounts (never a hash), and its services.
host() {
  awk -F= "$words"'BEGIN { printf "{" } /^(ID|VERSION_ID|VARIANT_ID|PRETTY_NAME)=/ { gsub(/"/, "", $2); printf "%s%s:%s", (n++ ? "," : ""), q(tolower($1)), q($2) } END { printf "%s", (n ? "," : "") }' "$(or_none "$root/etc/os-release")"
  printf '"kernel":"%s","command_line":%s,"selinux":"%s","preloads":%s}\n' \
    "$(tr -cd 'A-Za-z0-9._+-' 2>/dev/null <"$root/proc/sys/kernel/osrelease")" \
    "$(if [ -r "$root/proc/cmdline" ]; then lines_of "$root/proc/cmdline"; else echo '[]'; fi)" \
    "$(selinux)" \
    "$(if [ -s "$root/etc/ld.so.preload" ]; then echo true; else echo false; fi)"
}
selinux() {
  if [ -r "$root/sys/fs/selinux/enforce" ]; then
    if [ "$(cat "$root/sys/fs/selinux/enforce")" = 1 ]; then echo enforcing; else echo permissive; fi
  else echo disabled; fi
}

# Settings of the kernel: those in force, and those that files set at the next start (the last of a file counts).
sysctl() {
  printf '{"running":{'
  for name in net/ipv4 net/ipv6/conf kernel vm fs; do
    [ ! -d "$root/proc/sys/$name" ] || find "$root/proc/sys/$name" -type f 2>/dev/null
  done | grep -E '/(ip_forward|forwarding|accept_redirects|secure_redirects|send_redirects|accept_source_route|rp_filter|log_martians|tcp_syncookies|icmp_echo_ignore_broadcasts|icmp_ignore_bogus_error_responses|accept_ra|disable_ipv6|randomize_va_space|ptrace_scope|kptr_restrict|dmesg_restrict|unprivileged_bpf_disabled|suid_dumpable|protected_[a-z]*|overcommit_memory|panic_on_oom|panic|panic_on_oops|keys/root_maxkeys|keys/root_maxbytes|core_pattern|core_uses_pid|bpf_jit_harden)$' |
    grep -E '/(all|default|lo|eth0|ens5)/|/(net/ipv4|kernel|vm|fs)/[a-z_]*$|keys/|yama/' | sort |
    while IFS= read -r file; do
      [ -r "$file" ] && printf '%s=%s\n' "$(printf %s "${file#"$root/proc/sys/"}" | tr / .)" "$(head -n 1 "$file" 2>/dev/null)"
    done | pairs
  printf '},"persistent":{'
  for dir in /usr/lib/sysctl.d /lib/sysctl.d /run/sysctl.d /etc/sysctl.d; do
    for file in "$root$dir"/*.conf; do [ ! -f "$file" ] || printf '%s %s\n' "${file##*/}" "$file"; done
  done | sort -s -k 1,1 | { cut -d ' ' -f 2-; echo "$root/etc/sysctl.conf"; } | while IFS= read -r file; do
    [ ! -r "$file" ] || sed -n 's/^[ -]*\([a-z][A-Za-z0-9_.\/*-]*\)[ ]*=[ ]*\(.*[^ ]\)[ ]*$/\1=\2/p' "$file" | tr / .
  done | pairs
  echo '}}'
}
# `name=value` lines as members; the last of a name counts.
pairs() { awk "$words"'{ i = index($0, "="); k = substr($0, 1, i - 1); if (!(k in v)) order[++n] = k; v[k] = substr($0, i + 1) } END { for (i = 1; i <= n; i++) printf "%s%s:%s", (i > 1 ? "," : ""), q(order[i]), q(v[order[i]]) }'; }

accounts() {
  awk -F: -v shadow="$root/etc/shadow" "$words"'
  function hash(s) { return s == "" ? "empty" : s ~ /^[!*]/ ? "locked" : s ~ /^\$6\$/ ? "sha512" : s ~ /^\$5\$/ ? "sha256" : s ~ /^\$y\$/ ? "yescrypt" : s ~ /^\$2/ ? "bcrypt" : s ~ /^\$1\$/ ? "md5" : "other" }
  function number(s) { return s ~ /^-?[0-9]+$/ ? s : "null" }
  BEGIN { while ((getline line < shadow) > 0) { split(line, f, ":"); known[f[1]] = 1; pass[f[1]] = hash(f[2]); for (i = 3; i <= 8; i++) age[f[1], i] = number(f[i]) } printf "[" }
  NF >= 7 { printf "%s{\"name\":%s,\"uid\":%d,\"gid\":%d,\"home\":%s,\"shell\":%s,\"shadowed\":%s", (n++ ? "," : ""), q($1), $3, $4, q($6), q($7), ($2 == "x" ? "true" : "false")
    if ($1 in known) printf ",\"password\":%s,\"last_change\":%s,\"min_days\":%s,\"max_days\":%s,\"warn_days\":%s,\"inactive_days\":%s,\"expires\":%s", q(pass[$1]), age[$1, 3], age[$1, 4], age[$1, 5], age[$1, 6], age[$1, 7], age[$1, 8]
    printf "}" }
  END { print "]" }' "$(or_none "$root/etc/passwd")"
}
groups() {
  awk -F: "$words"'BEGIN { printf "[" } NF >= 3 { printf "%s{\"name\":%s,\"gid\":%d,\"members\":[", (n++ ? "," : ""), q($1), $3; m = split($4, w, ","); for (i = 1; i <= m; i++) printf "%s%s", (i > 1 ? "," : ""), q(w[i]); printf "]}" } END { print "]" }' "$(or_none "$root/etc/group")"
}

# A file that may not be there: an empty one in its place.
or_none() { if [ -r "$1" ]; then echo "$1"; else echo /dev/null; fi; }

mounts() {
  file="$root/proc/1/mounts"
  [ -r "$file" ] || file="$root/proc/mounts"
  [ -r "$file" ] || file="$root/etc/fstab"
  awk "$words"'BEGIN { printf "[" } /^#/ || NF < 4 || $2 ~ /^\/(var\/lib\/kubelet\/pods|run\/containerd\/|var\/lib\/docker\/|run\/netns|proc\/|sys\/fs\/cgroup\/)/ { next }
  ++n <= 200 { printf "%s{\"path\":%s,\"type\":%s,\"options\":[", (n > 1 ? "," : ""), q($2), q($3); m = split($4, o, ","); k = 0; for (i = 1; i <= m; i++) if (o[i] !~ /^[a-z]*dir=|pass|user|secret/) printf "%s%s", (k++ ? "," : ""), q(o[i]); printf "]}" }
  END { print "]" }' "$(or_none "$file")"
}

# Modules: loaded ones, and what modprobe is told.
modules() {
  printf '{"loaded":'
  if [ -r "$root/proc/modules" ]; then cut -d ' ' -f 1 "$root/proc/modules" | sort | lines_of; else echo '[]'; fi
  printf ',"told":'
  cat "$root"/etc/modprobe.d/*.conf "$root"/usr/lib/modprobe.d/*.conf 2>/dev/null | grep -E '^ *(install|blacklist) ' | sort -u | lines_of
  echo '}'
}

packages() {
  if [ -r "$root/var/lib/dpkg/status" ]; then
    awk '/^Package: / { p = $2 } /^Status: .* installed$/ { ok = 1 } /^Version: / { v = $2 } /^$/ { if (ok) print p "=" v; ok = 0 } END { if (ok) print p "=" v }' "$root/var/lib/dpkg/status" | sort
  elif command -v rpm >/dev/null 2>&1 && [ -d "$root/var/lib/rpm" ]; then
    soon rpm ${root:+--root "$root"} -qa --qf '%''{NAME}=%''{VERSION}-%''{RELEASE}\n' 2>/dev/null | sort
  fi | { printf '{'; pairs; echo '}'; }
}

# Units with the state of their files; on a tree, the links that start them.
systemd() {
  if has systemctl; then
    soon systemctl list-unit-files --no-legend --no-pager --plain --type=service,socket,timer,mount,target 2>/dev/null | awk '{ print $1 "=" $2 }'
  else
    for link in "$root"/etc/systemd/system/*.wants/*; do [ ! -L "$link" ] || printf '%s=enabled\n' "${link##*/}"; done
    for link in "$root"/etc/systemd/system/*.service "$root"/etc/systemd/system/*.socket; do
      [ ! -L "$link" ] || [ "$(readlink "$link")" != /dev/null ] || printf '%s=masked\n' "${link##*/}"
    done
  fi | sort | { printf '{"files":{'; pairs; printf '}'; }
  if has systemctl; then
    printf ',"active":'
    soon systemctl list-units --no-legend --no-pager --plain --type=service,socket,timer --state=active 2>/dev/null | awk '{ print $1 }' | sort | lines_of
  fi
  echo '}'
}

sshd() {
  if has sshd; then soon sshd -T 2>/dev/null; elif [ -x /usr/sbin/sshd ] && [ -n "$live" ]; then soon /usr/sbin/sshd -T 2>/dev/null; else
    cat "$root"/etc/ssh/sshd_config.d/*.conf "$root/etc/ssh/sshd_config" 2>/dev/null | awk '/^ *#/ || NF < 2 { next } tolower($1) == "match" { exit } { k = tolower($1); if (!(k in had)) { had[k] = 1; print } }'
  fi | awk "$words"'{ k = tolower($1); sub(/^[ \t]*[^ \t]+[ \t=]+/, ""); if (k in v) v[k] = v[k] "\n" $0; else { order[++n] = k; v[k] = $0 } } END { printf "{"; for (i = 1; i <= n; i++) printf "%s%s:%s", (i > 1 ? "," : ""), q(order[i]), q(v[order[i]]); print "}" }'
}

audit() {
  printf '{"disk":'
  cat "$root"/etc/audit/rules.d/*.rules 2>/dev/null | lines_of
  if has auditctl; then printf ',"loaded":'; soon auditctl -l 2>/dev/null | lines_of; fi
  echo '}'
}

# Configuration files that hold no secrets by design, as lines without remarks.
configs() {
  printf '{'
  comma=
  for glob in /etc/login.defs /etc/default/useradd /etc/security/pwquality.conf /etc/security/faillock.conf /etc/security/pwhistory.conf \
    /etc/security/limits.conf '/etc/security/limits.d/*.conf' /etc/pam.d/system-auth /etc/pam.d/password-auth /etc/pam.d/common-auth /etc/pam.d/common-password /etc/pam.d/su \
    /etc/audit/auditd.conf /etc/systemd/journald.conf /etc/systemd/coredump.conf /etc/rsyslog.conf '/etc/rsyslog.d/*.conf' /etc/chrony.conf '/etc/chrony.d/*.conf' /etc/sysconfig/chronyd \
    /etc/selinux/config /etc/dnf/dnf.conf /etc/yum.conf /etc/motd /etc/issue /etc/issue.net /etc/aide.conf /etc/crypto-policies/config /etc/crypto-policies/state/current \
    /etc/sudoers '/etc/sudoers.d/*' /etc/fstab /etc/hosts.allow /etc/hosts.deny /etc/updatedb.conf; do
    for file in "$root"$glob; do
      if [ ! -f "$file" ] || [ ! -r "$file" ]; then continue; fi
      printf '%s"%s":%s' "$comma" "$(name_of "${file#"$root"}")" "$(lines_of "$file")"
      comma=,
    done
  done
  # Scripts of shells may set anything: only what is asked about is told.
  for file in "$root/etc/profile" "$root/etc/bashrc" "$root/etc/bash.bashrc" "$root"/etc/profile.d/*.sh; do
    [ -f "$file" ] || continue
    printf '%s"%s":%s' "$comma" "$(name_of "${file#"$root"}")" "$(grep -E '^ *(umask|(readonly |export |typeset -xr )?TMOUT)' "$file" | lines_of)"
    comma=,
  done
  # Of repositories only what is checked is told: their addresses may hold credentials.
  for file in "$root"/etc/yum.repos.d/*.repo; do
    [ -f "$file" ] || continue
    printf '%s"%s":%s' "$comma" "$(name_of "${file#"$root"}")" "$(grep -E '^ *(\[|gpgcheck|repo_gpgcheck|enabled)' "$file" | lines_of)"
    comma=,
  done
  echo '}'
}
