# The operating system: what it is, its settings, its accounts (never a hash), and its services.
host() {
  awk -F= "$words"'BEGIN { printf "{" } /^(ID|VERSION_ID|VARIANT_ID|PRETTY_NAME)=/ { gsub(/"/, "", $2); printf "%s%s:%s", sep(n++), q(tolower($1)), q($2) } END { printf "%s", (n ? "," : "") }' "$(or_none "$root/etc/os-release")"
  printf '"kernel":"%s",%s"selinux":"%s",%s"preloads":%s}\n' \
    "$(tr -cd 'A-Za-z0-9._+-' <"$root/proc/sys/kernel/osrelease")" \
    "$(if [ -r "$root/proc/cmdline" ]; then printf '"command_line":%s,' "$(lines_of "$root/proc/cmdline")"; fi)" \
    "$(selinux)" \
    "$(if [ -r "$root/proc/1/attr/current" ]; then printf '"unconfined":%s,' "$(unconfined)"; fi)" \
    "$(if [ -s "$root/etc/ld.so.preload" ]; then echo true; else echo false; fi)"
}
selinux() {
  if [ -r "$root/sys/fs/selinux/enforce" ]; then
    if [ "$(cat "$root/sys/fs/selinux/enforce")" = 1 ]; then echo enforcing; else echo permissive; fi
  else echo disabled; fi
}

# Programs that SELinux holds by no policy of their own.
unconfined() {
  grep -l ':unconfined_service_t:' "$root"/proc/[0-9]*/attr/current | while IFS= read -r file; do
    head -n 1 "${file%attr/current}comm"
  done | sort -u | lines_of
}

# Settings of the kernel: those in force, and those that files set at the next start (the last of a file counts).
sysctl() {
  printf '{"running":{'
  for name in net/ipv4 net/ipv6/conf kernel vm fs; do
    [ ! -d "$root/proc/sys/$name" ] || find "$root/proc/sys/$name" -type f
  done | grep -E '/(ip_forward|forwarding|accept_redirects|secure_redirects|send_redirects|accept_source_route|rp_filter|log_martians|tcp_syncookies|icmp_echo_ignore_broadcasts|icmp_ignore_bogus_error_responses|accept_ra|disable_ipv6|randomize_va_space|ptrace_scope|kptr_restrict|dmesg_restrict|unprivileged_bpf_disabled|suid_dumpable|protected_[a-z]*|overcommit_memory|panic_on_oom|panic|panic_on_oops|keys/root_maxkeys|keys/root_maxbytes|core_pattern|core_uses_pid|bpf_jit_harden)$' |
    grep -E '/(all|default|lo|eth0|ens5)/|/(net/ipv4|kernel|vm|fs)/[a-z_]*$|keys/|yama/' | sort |
    while IFS= read -r file; do
      [ -r "$file" ] && printf '%s=%s\n' "$(printf %s "${file#"$root/proc/sys/"}" | tr / .)" "$(head -n 1 "$file")"
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
pairs() { awk "$words"'{ i = index($0, "="); k = substr($0, 1, i - 1); if (!(k in v)) order[++n] = k; v[k] = substr($0, i + 1) } END { for (i = 1; i <= n; i++) printf "%s%s:%s", sep(i > 1), q(order[i]), q(v[order[i]]) }'; }

accounts() {
  [ -s "$root/etc/passwd" ] || return 0
  awk -F: -v shadow="$root/etc/shadow" -v group="$root/etc/group" -v least="$(login_def UID_MIN 1000)" "$words"'
  function hash(s) { return s == "" ? "empty" : s ~ /^[!*]/ ? "locked" : s ~ /^\$6\$/ ? "sha512" : s ~ /^\$5\$/ ? "sha256" : s ~ /^\$y\$/ ? "yescrypt" : s ~ /^\$2/ ? "bcrypt" : s ~ /^\$1\$/ ? "md5" : "other" }
  function number(s) { return s ~ /^-?[0-9]+$/ ? s : "null" }
  BEGIN { while ((getline line < shadow) > 0) { split(line, f, ":"); known[f[1]] = 1; pass[f[1]] = hash(f[2]); for (i = 3; i <= 8; i++) age[f[1], i] = number(f[i]) }
    while ((getline line < group) > 0) { split(line, f, ":"); there[f[3]] = 1 }
    printf "[" }
  NF >= 7 { printf "%s{\"name\":%s,\"uid\":%d,\"gid\":%d,\"home\":%s,\"shell\":%s,\"shadowed\":%s,\"group_known\":%s", sep(n++), q($1), $3, $4, q($6), q($7), ($2 == "x" ? "true" : "false"), (($4 in there) ? "true" : "false")
    if (($3 < least || $3 == 65534) && $1 !~ /^(root|sync|shutdown|halt)$/) printf ",\"system\":{\"shell\":%s%s}", q($7), ($1 in known ? ",\"password\":" q(pass[$1]) : "")
    if ($1 in known) printf ",\"password\":%s,\"last_change\":%s,\"min_days\":%s,\"max_days\":%s,\"warn_days\":%s,\"inactive_days\":%s,\"expires\":%s", q(pass[$1]), age[$1, 3], age[$1, 4], age[$1, 5], age[$1, 6], age[$1, 7], age[$1, 8]
    printf "}" }
  END { print "]" }' "$(or_none "$root/etc/passwd")"
}
# A setting of /etc/login.defs, and what it is where it is not said.
login_def() { awk -v name="$1" -v value="$2" '$1 == name { value = $2 } END { print value }' "$(or_none "$root/etc/login.defs")"; }
groups() {
  [ -s "$root/etc/group" ] || return 0
  awk -F: "$words"'BEGIN { printf "[" } NF >= 3 { printf "%s{\"name\":%s,\"gid\":%d,\"members\":[", sep(n++), q($1), $3; m = split($4, w, ","); for (i = 1; i <= m; i++) printf "%s%s", sep(i > 1), q(w[i]); printf "]}" } END { print "]" }' "$(or_none "$root/etc/group")"
}

# A file that may not be there: an empty one in its place.
or_none() { if [ -r "$1" ]; then echo "$1"; else echo /dev/null; fi; }

mounts() {
  for file in "$root/proc/1/mounts" "$root/proc/mounts" "$root/etc/fstab" -; do [ ! -r "$file" ] || break; done
  [ "$file" != - ] || return 0
  awk "$words"'BEGIN { printf "[" } /^#/ || NF < 4 || $2 ~ /^\/(var\/lib\/kubelet\/pods|run\/containerd\/|var\/lib\/docker\/|run\/netns|proc\/|sys\/fs\/cgroup\/)/ { next }
  ++n <= 200 { printf "%s{\"path\":%s,\"type\":%s,\"options\":[", sep(n > 1), q($2), q($3); m = split($4, o, ","); k = 0; for (i = 1; i <= m; i++) if (o[i] !~ /^[a-z]*dir=|pass|user|secret/) printf "%s%s", sep(k++), q(o[i]); printf "]}" }
  END { print "]" }' "$file"
}

# Modules: loaded ones, and what modprobe is told.
modules() {
  printf '{'
  if [ -r "$root/proc/modules" ]; then printf '"loaded":%s,' "$(cut -d ' ' -f 1 "$root/proc/modules" | sort | lines_of)"; fi
  printf '"told":'
  cat "$root"/etc/modprobe.d/*.conf "$root"/usr/lib/modprobe.d/*.conf | grep -E '^ *(install|blacklist) ' | sort -u | lines_of
  echo '}'
}

# All packages or nothing: half a list would look like one without the rest.
packages() {
  if [ -r "$root/var/lib/dpkg/status" ]; then
    list="$(awk '/^Package: / { p = $2 } /^Status: .* installed$/ { ok = 1 } /^Version: / { v = $2 } /^$/ { if (ok) print p "=" v; ok = 0 } END { if (ok) print p "=" v }' "$root/var/lib/dpkg/status")"
  elif command -v rpm >/dev/null 2>&1 && [ -d "$root/var/lib/rpm" ]; then
    list="$(soon rpm ${root:+--root "$root"} -qa --qf '%''{NAME}=%''{VERSION}-%''{RELEASE}\n')" || return 0
  else return 0; fi
  [ -n "$list" ] || return 0
  printf '%s\n' "$list" | sort | { printf '{'; pairs; echo '}'; }
}

# Units with the state of their files; on a tree, the links that start them.
systemd() {
  if has systemctl; then
    # All units or nothing, as for packages.
    units="$(soon systemctl list-unit-files --no-legend --no-pager --plain --type=service,socket,timer,mount,target)" || return 0
    [ -n "$units" ] || return 0
    units="$(printf '%s\n' "$units" | awk '{ print $1 "=" $2 }')"
  else
    units="$(
      for link in "$root"/etc/systemd/system/*.wants/*; do [ ! -L "$link" ] || printf '%s=enabled\n' "${link##*/}"; done
      for link in "$root"/etc/systemd/system/*.service "$root"/etc/systemd/system/*.socket; do
        [ ! -L "$link" ] || [ "$(readlink "$link")" != /dev/null ] || printf '%s=masked\n' "${link##*/}"
      done
    )"
  fi
  printf '{"files":{%s}' "$(printf '%s' "$units" | sort | pairs)"
  if has systemctl && units="$(soon systemctl list-units --no-legend --no-pager --plain --type=service,socket,timer --state=active)"; then
    printf ',"active":'
    printf '%s\n' "$units" | awk 'NF { print $1 }' | sort | lines_of
  fi
  echo '}'
}

sshd() {
  if has sshd; then soon sshd -T; elif [ -x /usr/sbin/sshd ] && [ -n "$live" ]; then soon /usr/sbin/sshd -T; else
    cat "$root"/etc/ssh/sshd_config.d/*.conf "$root/etc/ssh/sshd_config" | awk '/^ *#/ || NF < 2 { next } tolower($1) == "match" { exit } { k = tolower($1); if (!(k in had)) { had[k] = 1; print } }'
  fi | awk "$words"'{ k = tolower($1); sub(/^[ \t]*[^ \t]+[ \t=]+/, ""); if (k in v) v[k] = v[k] "\n" $0; else { order[++n] = k; v[k] = $0 } } END { printf "{"; for (i = 1; i <= n; i++) printf "%s%s:%s", sep(i > 1), q(order[i]), q(v[order[i]]); print "}" }'
}

audit() {
  printf '{"disk":'
  cat "$root"/etc/audit/rules.d/*.rules | most=2000 lines_of
  # What was refused is not told: an empty list would say that there are no rules.
  if has auditctl && rules="$(soon auditctl -l)"; then
    printf ',"loaded":'
    { printf '%s\n' "$rules"; soon auditctl -s | sed -n 's/^enabled \([0-9]\)$/-e \1/p'; } | most=2000 lines_of
  fi
  echo '}'
}

# Configuration files that hold no secrets by design, as lines without remarks. Of all others `settings` tells what
# is asked for.
configs() {
  printf '{'
  comma=
  for glob in /etc/security/limits.conf '/etc/security/limits.d/*.conf' /etc/pam.d/system-auth /etc/pam.d/password-auth /etc/pam.d/common-auth \
    /etc/pam.d/common-password /etc/pam.d/su /etc/authselect/authselect.conf /etc/motd /etc/issue /etc/issue.net /etc/aide.conf \
    /etc/crypto-policies/config /etc/crypto-policies/state/current /etc/fstab /etc/hosts.allow /etc/hosts.deny /etc/updatedb.conf; do
    for file in "$root"$glob; do
      if [ ! -f "$file" ] || [ ! -r "$file" ]; then continue; fi
      printf '%s"%s":%s' "$comma" "$(name_of "${file#"$root"}")" "$(lines_of "$file")"
      comma=,
    done
  done
  # Scripts of shells may set anything: only what is asked about is told.
  for file in "$root/etc/profile" "$root/etc/bashrc" "$root/etc/bash.bashrc" "$root"/etc/profile.d/*.sh; do
    [ -f "$file" ] || continue
    printf '%s"%s":%s' "$comma" "$(name_of "${file#"$root"}")" "$(grep -E '^[^#]*(umask|TMOUT)' "$file" | grep -oE 'umask +[^;&|]+|((readonly|export|(typeset|declare) -[a-z]+) +)?TMOUT(=[0-9]+)?' | lines_of)"
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

# What files set, by program: single settings that controls ask for, the one that counts where files say it twice. A
# program whose files are there and cannot be read is left out.
settings() {
  printf '{'
  comma=
  said aide /etc/cron.d /var/spool/cron
  said auditd /etc/audit/auditd.conf
  said chrony /etc/chrony.conf
  said coredump /etc/systemd/coredump.conf
  said dnf /etc/dnf/dnf.conf
  said faillock /etc/security/faillock.conf
  said firewalld /etc/firewalld /etc/firewalld/firewalld.conf
  said journald /etc/systemd/journald.conf
  said login_defs /etc/login.defs
  said mail /proc/net/tcp
  ! has nft || said nft
  said pam_unix /etc/pam.d/system-auth /etc/pam.d/password-auth
  said pwhistory /etc/security/pwhistory.conf
  said pwquality /etc/security/pwquality.conf
  said rsyslog /etc/rsyslog.conf /etc/rsyslog.d
  said selinux /etc/selinux/config
  said sshd /etc/sysconfig/sshd
  said sudo /etc/sudoers /etc/sudoers.d
  said useradd /etc/default/useradd
  echo '}'
}
# One program: its name, and what has to be readable. `settings_NAME` says lines of `name=value`; it fails where it was refused.
said() {
  program="$1"
  shift
  for file; do [ ! -e "$root$file" ] || [ -r "$root$file" ] || return 0; done
  lines="$("settings_$program")" || return 0
  printf '%s"%s":{%s}' "$comma" "$program" "$(printf '%s' "$lines" | pairs)"
  comma=,
}
# Files that have lines such as `name = value`, and names alone, which are `true`; only the names that are asked for.
values_of() {
  names="$1"
  shift
  for file; do [ ! -f "$root$file" ] || cat "$root$file"; done | awk -v names="$names" '
    /^[ \t]*([#;[]|$)/ { next }
    { sub(/[ \t]+#.*/, ""); gsub(/\r/, ""); i = index($0, "="); k = i ? substr($0, 1, i - 1) : $0; v = i ? substr($0, i + 1) : "true"
      gsub(/^[ \t]+|[ \t]+$/, "", k); gsub(/^[ \t"\047]+|[ \t"\047]+$/, "", v)
      if (k ~ "^(" names ")$") print k "=" v }'
}
# A file of systemd, and over it the ones in its folders, by their names.
systemd_values() {
  values_of "$1" "/usr/lib/systemd/$2" "/etc/systemd/$2"
  for dir in /usr/lib/systemd /run/systemd /etc/systemd; do
    for file in "$root$dir/$2.d"/*.conf; do [ ! -f "$file" ] || printf '%s %s\n' "${file##*/}" "${file#"$root"}"; done
  done | sort -s -k 1,1 | cut -d ' ' -f 2- | while IFS= read -r file; do values_of "$1" "$file"; done
}
# What the lines of a module say in both files of PAM, and in which of them it is.
pam_values() {
  for file in system-auth password-auth; do
    [ ! -f "$root/etc/pam.d/$file" ] || awk -v module="$1" -v names="$2" -v file="$file" '
      /^[ \t]*#/ { next }
      { for (i = 1; i <= NF; i++) if ($i ~ "(^|/)" module "\\.so$") { print "asked_by=" file; for (j = i + 1; j <= NF; j++) { v = $j; if (v !~ /=/) v = v "=true"; k = v; sub(/=.*/, "", k); if (k ~ "^(" names ")$") print v }; next } }' "$root/etc/pam.d/$file"
  done | awk '/^asked_by=/ { f = substr($0, 10); if (!(f in had)) by = by (by == "" ? "" : ",") f; had[f] = 1; next } { print } END { if (by != "") print "asked_by=" by }'
}

settings_aide() {
  if cat "$root"/etc/crontab "$root"/etc/cron.d/* "$root"/var/spool/cron/* | grep -Eq '^[^#]*aide.* --?(check|update|C)( |$)' ||
    grep -lEs '^[^#]*aide.* --?(check|update|C)( |$)' "$root"/etc/cron.hourly/* "$root"/etc/cron.daily/* "$root"/etc/cron.weekly/* "$root"/etc/cron.monthly/* | grep -q .; then echo cron=true; else echo cron=false; fi
}
settings_auditd() { values_of '[a-z_]+' /etc/audit/auditd.conf | tr '[:upper:]' '[:lower:]'; }
settings_chrony() {
  printf 'sources=%s\n' "$(cat "$root"/etc/chrony.conf "$root"/etc/chrony.d/*.conf "$root"/etc/chrony.d/*.sources "$root"/run/chrony.d/* | grep -cE '^ *(server|pool|refclock) ')"
  user="$(grep -lx chronyd "$root"/proc/[0-9]*/comm | head -n 1 | while IFS= read -r file; do awk '/^Uid:/ { print $2 }' "${file%comm}status"; done)"
  if [ -n "$user" ]; then
    user="$(awk -F: -v id="$user" '$3 == id { print $1; exit }' "$(or_none "$root/etc/passwd")")"
  else user="$(sed -n 's/^ *OPTIONS=.*-u  *\([a-z_][a-z0-9_-]*\).*/\1/p' "$(or_none "$root/etc/sysconfig/chronyd")" | tail -n 1)"; fi
  [ -z "$user" ] || echo "user=$user"
}
settings_coredump() { systemd_values 'Storage|ProcessSizeMax' coredump.conf; }
settings_dnf() { values_of 'gpgcheck|localpkg_gpgcheck|repo_gpgcheck' /etc/dnf/dnf.conf; }
settings_faillock() {
  names='deny|unlock_time|fail_interval|even_deny_root|root_unlock_time'
  values_of "$names" /etc/security/faillock.conf
  pam_values pam_faillock "$names"
}
settings_firewalld() { values_of DefaultZone /etc/firewalld/firewalld.conf; }
settings_journald() { systemd_values 'Compress|ForwardToSyslog|MaxFileSec|Runtime[A-Za-z]*|Storage|System[A-Za-z]*' journald.conf; }
settings_login_defs() {
  awk '/^[ \t]*#/ || NF < 2 { next } $1 ~ /^(ENCRYPT_METHOD|PASS_(MAX|MIN)_DAYS|PASS_WARN_AGE|UID_MIN|UMASK)$/ { print $1 "=" $2 }' "$(or_none "$root/etc/login.defs")"
}
# Ports of mail that listen on more than loopback.
settings_mail() {
  [ -r "$root/proc/net/tcp" ] || return 1
  printf 'open_ports=%s\n' "$(cat "$root/proc/net/tcp" "$root/proc/net/tcp6" | awk '
    $4 == "0A" && $2 ~ /:(0019|01D1|024B)$/ && $2 !~ /^(0000000000000000FFFF0000)?[0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F]7F:|^00000000000000000000000001000000:/ { print ($2 ~ /0019$/ ? 25 : $2 ~ /01D1$/ ? 465 : 587) }' | sort -nu | tr '\n' ',' | sed 's/,$//')"
}
settings_nft() {
  rules="$(soon nft -s list ruleset)" || return 1
  printf '%s\n' "$rules" | awk '
    $1 == "table" { tables++ }
    /hook (input|forward|output) / { hook = $0; sub(/.*hook /, "", hook); sub(/ .*/, "", hook); p = /policy drop/ ? "drop" : "accept"; if (policy[hook] != "drop") policy[hook] = p }
    /(iif|iifname) "lo" accept/ { lo = 1 }
    /ip saddr 127\.0\.0\.0\/8 .*drop/ { spoof = 1 }
    END { print "tables=" tables + 0; for (h in policy) print h "=" policy[h]; print "loopback_accepted=" (lo ? "true" : "false"); print "loopback_spoofed_dropped=" (spoof ? "true" : "false") }' | sort
}
settings_pam_unix() {
  for file in system-auth password-auth; do
    [ ! -f "$root/etc/pam.d/$file" ] || awk '/^[ \t]*-?password[ \t].*pam_unix\.so/ { h = "none"; for (i = 1; i <= NF; i++) if ($i ~ /^(md5|bigcrypt|blowfish|sha256|sha512|yescrypt|gost_yescrypt)$/) h = $i; print h }' "$root/etc/pam.d/$file"
  done | awk '{ all = all (NR > 1 ? "," : "") $0 } END { print "hash=" all }'
}
settings_pwhistory() {
  values_of remember /etc/security/pwhistory.conf
  { pam_values pam_unix remember | grep -q '^remember=' && pam_values pam_unix remember; true; }
  pam_values pam_pwhistory remember
}
settings_pwquality() {
  names='minlen|minclass|[dlou]credit|enforcing|enforce_for_root'
  for file in "$root"/etc/security/pwquality.conf.d/*.conf; do [ ! -f "$file" ] || values_of "$names" "${file#"$root"}"; done
  values_of "$names" /etc/security/pwquality.conf
  pam_values pam_pwquality "$names"
}
settings_rsyslog() {
  cat "$root"/etc/rsyslog.conf "$root"/etc/rsyslog.d/*.conf | awk '
    /^[ \t]*#/ { next }
    tolower($1) == "$filecreatemode" { print "create_mode=" $2 }
    /imtcp|imudp|\$(InputTCPServerRun|UDPServerRun)/ { receives = 1 }
    /omfwd|omrelp|^[^#]*[ \t]@@?[^ \t]/ { sends = 1 }
    END { print "receives=" (receives ? "true" : "false"); print "sends=" (sends ? "true" : "false") }'
}
settings_selinux() { values_of 'SELINUX|SELINUXTYPE' /etc/selinux/config | awk '{ sub(/=.*/, tolower(substr($0, index($0, "=")))) } { print }'; }
settings_sshd() { values_of CRYPTO_POLICY /etc/sysconfig/sshd; }
settings_sudo() {
  cat "$root"/etc/sudoers "$root"/etc/sudoers.d/* | awk '
    /^[ \t]*#/ { next }
    /\\$/ { sub(/\\$/, ""); held = held $0; next }
    { line = held $0; held = "" }
    line !~ /^[ \t]*Defaults/ { next }
    { scoped = line ~ /^[ \t]*Defaults[:@>!]/; sub(/^[ \t]*Defaults[^ \t]*[ \t]+/, "", line); n = split(line, w, /[ \t]*,[ \t]*/)
      for (i = 1; i <= n; i++) { k = w[i]; v = "true"; if (k ~ /^!/) { v = "false"; k = substr(k, 2) } if (k ~ /=/) { v = k; sub(/^[^=]*=[ \t]*/, "", v); sub(/[ \t]*[+-]?=.*/, "", k) }
        gsub(/^["\047]+|["\047 \t]+$/, "", v); gsub(/[ \t]/, "", k)
        if (k ~ /^(authenticate|logfile|timestamp_timeout|use_pty)$/ && (!scoped || (k == "authenticate" && v == "false") || k == "timestamp_timeout")) { if (k == "authenticate" && said[k] == "false") continue; said[k] = v } } }
    END { for (k in said) print k "=" said[k] }' | sort
}
settings_useradd() { values_of INACTIVE /etc/default/useradd; }

# Files by the part that they play, where their names differ from host to host. Of logs, dot files and the path of root
# only those that are open are told.
guarded() {
  [ "$(id -u)" = 0 ] || [ -n "$root" ] || return 0
  [ -s "$root/etc/passwd" ] || return 0
  log="$(values_of log_file /etc/audit/auditd.conf | tail -n 1)"
  log="${log#log_file=}"
  log="${log:-/var/log/audit/audit.log}"
  log="$root${log%/*}"
  printf '{"audit_config":%s' "$({ [ ! -d "$root/etc/audit" ] || find "$root/etc/audit" -type f '(' -name '*.conf' -o -name '*.rules' ')'; } | described)"
  printf ',"audit_log_directory":%s' "$({ [ ! -d "$log" ] || echo "$log"; } | described)"
  printf ',"audit_logs":%s' "$({ [ ! -d "$log" ] || find "$log" -type f; } | head -n 100 | described)"
  printf ',"audit_tools":%s' "$(for tool in auditctl auditd augenrules aureport ausearch autrace; do [ ! -e "$root/sbin/$tool" ] || echo "$root/sbin/$tool"; done | described)"
  printf ',"ssh_private_keys":%s' "$(for file in "$root"/etc/ssh/ssh_host_*_key; do [ ! -f "$file" ] || echo "$file"; done | described)"
  printf ',"ssh_public_keys":%s' "$(for file in "$root"/etc/ssh/ssh_host_*_key.pub; do [ ! -f "$file" ] || echo "$file"; done | described)"
  printf ',"homes":%s,"homes_of_others":%s' "$(homes | described)" "$(homes | others | described)"
  printf ',"open_dot_files":%s' "$(homes | cut -d '|' -f 1 | while IFS= read -r home; do
    [ ! -d "$home" ] || find "$home" -maxdepth 1 -name '.?*' ! -name .. ! -type l '(' -name .netrc -o -name .forward -o -name .rhosts -o -perm -0020 -o -perm -0002 ')'
  done | head -n 100 | described)"
  open="$(soon find "$root/var/log" -type f '(' -perm -0001 -o -perm -0002 -o -perm -0004 -o -perm -0010 -o -perm -0020 -o -perm -0100 ')')"
  if [ $? -ne 124 ] && [ -d "$root/var/log" ]; then
    printf ',"open_logs":%s' "$(printf '%s\n' "$open" | while IFS= read -r file; do
      # Logins are kept where programs of their group may write.
      case "$file" in
        '') ;;
        */wtmp | */wtmp-* | */btmp | */btmp-* | */lastlog | */lastlog.* | */wtmp.* | */btmp.*) find "$file" '(' -perm -0001 -o -perm -0002 -o -perm -0010 -o -perm -0100 ')' ;;
        *) printf '%s\n' "$file" ;;
      esac
    done | head -n 100 | described)"
  fi
  printf ',"open_root_path":%s}\n' "$(root_path)"
}
# Paths, one a line, each with `|user` behind it where it should be that user's: as a list. One that is not there says so.
described() {
  while IFS='|' read -r path user; do
    if [ -e "$path" ]; then printf '%s|%s\n' "$(stat -L -c '%a|%u|%g|%U|%G' "$path")" "$path|$user"; else printf -- '-|||||%s\n' "$path|$user"; fi
  done | awk -F'|' -v root="$root" "$words"'
  BEGIN { load_names(root); printf "[" }
  { path = substr($6, length(root) + 1); printf "%s{\"path\":%s", sep(n++), q(path == "" ? "/" : path)
    if ($7 != "") printf ",\"user\":%s", q($7)
    if ($1 == "-") printf ",\"exists\":false}"
    else printf ",\"mode\":%d,\"owner\":%s,\"group\":%s}", octal($1), q(name_in(user_names, $2, $4)), q(name_in(group_names, $3, $5)) }
  END { print "]" }'
}
# Homes of people who may log in, each with its user.
homes() {
  awk -F: -v least="$(login_def UID_MIN 1000)" -v root="$root" '(($3 >= least && $3 != 65534) || $3 == 0) && $7 !~ /\/(nologin|false|sync|shutdown|halt)$/ && $6 ~ /^\// { print root $6 "|" $1 }' "$(or_none "$root/etc/passwd")"
}
others() {
  while IFS='|' read -r path user; do
    [ ! -e "$path" ] || [ "$(stat -L -c %u "$path")" = "$(awk -F: -v name="$user" '$1 == name { print $3; exit }' "$root/etc/passwd")" ] || printf '%s|%s\n' "$path" "$user"
  done
}
# Directories in the path of root that are missing, relative, or that somebody else may change.
root_path() {
  cat "$root/etc/environment" "$root/etc/profile" "$root"/etc/profile.d/*.sh "$root/root/.bash_profile" "$root/root/.bashrc" "$root/root/.profile" |
    grep -v '^ *#' | grep -E '(^|[ ;])PATH=' | sed 's/.*PATH=\([^; ]*\).*/\1/' | tr -d '"'"'" | sed 's/\$[{]*PATH[}]*/=/g; s/\$[{]*HOME[}]*/\/root/g; s/~/\/root/g' | tr ':' '\n' | sort -u | {
    while IFS= read -r dir; do
      case "$dir" in
        '=' | *'$'* | *'`'*) ;;
        /*) if [ ! -d "$root$dir" ]; then printf '%s\n' "$root$dir"; else find -H "$root$dir" -maxdepth 0 '(' ! -user 0 -o -perm -0020 -o -perm -0002 ')'; fi ;;
        *) printf '%s\n' "$root${dir:-.}" ;;
      esac
    done
  } | described
}
