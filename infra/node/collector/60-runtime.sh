# Docker, containerd and Bottlerocket. Of containers and images only single fields are asked for: never their variables.
# Two braces in a row would be a parameter of Systems Manager: they are written apart.
o='{''{'
c='}''}'

# Members of a template: j name path, and d name path default for what may not be set. Paths are as Docker's program names
# its fields (CPUShares), not as its JSON does: with the names of JSON what is not set is an error, and all is lost.
j() { printf '"%s":%sjson .%s%s' "$1" "$o" "$2" "$c"; }
d() { printf '"%s":%sif .%s%s%sjson .%s%s%selse%s%s%send%s' "$1" "$o" "$2" "$c" "$o" "$2" "$c" "$o" "$c" "$3" "$o" "$c"; }
# yes name path: whether something is there.
yes() { printf '"%s":%sif .%s%strue%selse%sfalse%send%s' "$1" "$o" "$2" "$c" "$o" "$c" "$o" "$c"; }

dockerd_pid() {
  # shellcheck disable=SC2013 # names here are numbers
  for file in $(grep -l dockerd "$root"/proc/[0-9]*/cmdline); do
    case "$(tr '\0' '\n' <"$file" | head -n 1)" in
      dockerd | */dockerd | */dockerd-current) basename "$(dirname "$file")" && return ;;
    esac
  done
}

# inspected most template what list...: what `docker <what>` says of all that `docker <list>` names. Null where there is
# more, or no answer: half a list would look like a clean one.
inspected() {
  most="$1" format="$2" what="$3"
  shift 3
  ids="$(soon docker "$@")" || { printf null; return; }
  # shellcheck disable=SC2046 # ids are words
  set -- $(printf '%s\n' "$ids" | sort -u)
  if [ $# -gt "$most" ]; then printf null; return; fi
  if [ $# -eq 0 ]; then printf '[]'; return; fi
  # shellcheck disable=SC2086 # words
  soon docker $what --format "$format" "$@" | awk '{ all = all (NR > 1 ? "," : "") $0 } END { printf "%s", (NR ? "[" all "]" : "null") }'
}

# How images were made: numbers of ADD past the first layer, of updates alone in a layer, and of what looks like a secret.
docker_builds() {
  ids="$(soon docker images -q)" || { printf null; return; }
  # shellcheck disable=SC2046
  set -- $(printf '%s\n' "$ids" | sort -u)
  if [ $# -gt 200 ]; then printf null; return; fi
  all=
  begun="$(date +%s)"
  for id in "$@"; do
    if [ $(($(date +%s) - begun)) -gt 15 ]; then printf null; return; fi
    lines="$(soon docker history --no-trunc --format "$o.CreatedBy$c" "$id")" || { all="$all${all:+,}\"$(name_of "$id")\":{}"; continue; }
    all="$all${all:+,}\"$(name_of "$id")\":$(printf '%s\n' "$lines" | awk '
      / ADD |^ADD / && !/ \/ *(# buildkit)?$/ { adds++ }
      /(apt-get|apt|apk|yum|dnf) +(-[^ ]+ +)*update/ && !/ (install|add|upgrade|dist-upgrade) / { alone++ }
      /(AKIA|ASIA)[A-Z0-9][A-Z0-9][A-Z0-9][A-Z0-9][A-Z0-9][A-Z0-9][A-Z0-9][A-Z0-9]|PRIVATE KEY|gh[pousr]_[A-Za-z0-9]|xox[abpr]-|:\/\/[^@\/ "]+:[^@\/ "]+@/ { secrets++; next }
      toupper($0) ~ /(^|[ -])[A-Z0-9_]*(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|CREDENTIALS?)=[^ $"]/ { secrets++ }
      END { printf "{\"adds\":%d,\"lone_updates\":%d,\"secrets\":%d}", adds, alone, secrets }')"
  done
  printf '{%s}' "$all"
}

# Programs in running containers that run as their owner or group; null where there was no answer, or it took too long.
docker_setuid() {
  ids="$(soon docker ps -q)" || { printf null; return; }
  # shellcheck disable=SC2086
  set -- $ids
  if [ $# -eq 0 ]; then printf '{}'; return; fi
  begun="$(date +%s)"
  {
    soon docker inspect --format "$o.ID$c $o.State.Pid$c" "$@" | while read -r id pid; do
      echo '~told'
      [ "${pid:-0}" -gt 0 ] || continue
      if [ $(($(date +%s) - begun)) -gt 20 ]; then echo '~cut'; break; fi
      echo "I $id"
      {
        soon find "$root/proc/$pid/root/" -xdev -type f '(' -perm -4000 -o -perm -2000 ')' -print
        [ $? -ne 124 ] || echo '~cut'
      } | head -n 20
      [ -d "$root/proc/$pid/root/" ] || echo '~cut'
    done
  } | awk "$words"'
    $0 == "~cut" { cut = 1; next }
    $0 == "~told" { told = 1; next }
    /^I / { all = all (ids++ ? "]," : "") q(substr($2, 1, 12)) ":["; n = 0; next }
    { sub(/.*\/proc\/[0-9]+\/root/, ""); all = all sep(n++) q($0) }
    END { printf "%s", cut || !told ? "null" : "{" all (ids ? "]" : "") "}" }'
}

# Processes of sshd in another namespace than the host's: their ids. Null where namespaces cannot be seen.
docker_sshd() {
  home="$(readlink "$root/proc/1/ns/pid")"
  if [ -z "$home" ]; then printf null; return; fi
  # shellcheck disable=SC2013
  for file in $(grep -lE '(^|/)(sshd|dropbear)' "$root"/proc/[0-9]*/cmdline); do
    dir="${file%/cmdline}"
    tr '\0' '\n' <"$file" | head -n 1 | grep -Eq '(^|/)(sshd|dropbear)(:|$)' || continue
    its="$(readlink "$dir/ns/pid")"
    if [ -n "$its" ] && [ "$its" != "$home" ]; then echo "${dir##*/}"; fi
  done | lines_of
}

# `docker exec` as the audit log has it, counted, where it records what the client is started with.
docker_execs() {
  if ! has ausearch || ! has auditctl || ! soon auditctl -l | grep -Eq '/usr/bin/docker( |$)|execve'; then printf null; return; fi
  found="$(soon ausearch -i -c docker 2>&1)" || case "$found" in *'<no matches>'*) ;; *) printf null; return ;; esac
  printf '%s\n' "$found" | awk '
    !/type=EXECVE/ || !/ a[12]=exec( |$)/ { next }
    / a[0-9]+=--privileged(=true)?( |$)/ { privileged++ }
    / a[0-9]+=(--user=|-u=?)(root|0)(:[^ ]*)?( |$)/ || / a[0-9]+=(-u|--user) a[0-9]+=(root|0)(:[^ ]*)?( |$)/ { root++ }
    END { printf "{\"privileged\":%d,\"as_root\":%d}", privileged, root }'
}

# Addresses of a swarm, and since when its authority is there.
docker_swarm() {
  dir="$(soon docker info --format "$o.DockerRootDir$c")"
  case "$dir" in /*) ;; *) dir=/var/lib/docker ;; esac
  printf '{'
  comma=
  for pair in listen=ListenAddr advertise=AdvertiseAddr data_path=DataPathAddr; do
    [ -r "$root$dir/swarm/docker-state.json" ] || break
    printf '%s"%s":"%s"' "$comma" "${pair%=*}" "$(sed -n "s/.*\"${pair#*=}\"[ ]*:[ ]*\"\([^\"\\\\]*\)\".*/\1/p" "$root$dir/swarm/docker-state.json" | head -n 1)"
    comma=,
  done
  file="$root$dir/swarm/certificates/swarm-root-ca.crt"
  if [ -r "$file" ] && command -v openssl >/dev/null 2>&1; then
    soon openssl x509 -noout -startdate -in "$file" | sed 's/^notBefore=//' | awk -v comma="$comma" '
      NF >= 4 { m = (index("JanFebMarAprMayJunJulAugSepOctNovDec", $1) + 2) / 3; printf "%s\"root_since\":\"%04d-%02d-%02dT%sZ\"", comma, $4, m, $2, $3 }'
  fi
  printf '}'
}

docker() {
  pid="$(dockerd_pid)"
  installed=false
  [ -z "$pid" ] || installed=true
  for path in /usr/bin/dockerd /usr/sbin/dockerd /usr/local/bin/dockerd /usr/bin/dockerd-current; do [ ! -e "$root$path" ] || installed=true; done
  printf '{"installed":%s' "$installed"
  # Where no processes are to be seen nobody knows whether it runs.
  if [ -n "$pid" ]; then printf ',"running":true'; elif [ "$installed" = false ] || [ -d "$root/proc/1" ]; then printf ',"running":false'; fi
  comma=,
  config=/etc/docker/daemon.json
  if [ "$installed" = true ]; then
    # What a daemon that does not run would be told is not known.
    if [ -n "$pid" ] && [ -s "$root/proc/$pid/cmdline" ]; then
      named="$(tr '\0' ' ' <"$root/proc/$pid/cmdline" | sed -n 's/.* --config-file[= ]\(\/[A-Za-z0-9._\/-]*\).*/\1/p')"
      config="${named:-$config}"
      printf ',"pid":"%s","user":"%s"' "$pid" "$(awk '/^Uid:/ { print $2 }' "$root/proc/$pid/status")"
    fi
    printf ',"content_trust":%s' "$(if grep -Eqs '^[ 	]*(export[ 	]+)?DOCKER_CONTENT_TRUST="?1"?[ 	]*$' "$root/etc/environment" "$root/etc/profile" "$root"/etc/profile.d/*.sh "$root/etc/bashrc" "$root/etc/bash.bashrc"; then echo true; else echo false; fi)"
    comma=,
  fi
  # No file sets nothing. Its tabs are blanks here, which YAML knows too.
  if [ -f "$root$config" ]; then printf ',"daemon":{"path":"%s","text":%s}' "$config" "$(tr '\t' ' ' <"$root$config" | text_of /dev/stdin)"; else printf ',"daemon":{"path":"%s","text":"{}"}' "$config"; fi
  if has docker && soon docker info >/dev/null 2>&1; then
    printf ',"info":'
    soon docker info --format "{$(j driver Driver),$(j logging_driver LoggingDriver),$(j cgroup_driver CgroupDriver),$(d security_options SecurityOptions '[]'),$(j live_restore LiveRestoreEnabled),$(j experimental ExperimentalBuild),$(j server_version ServerVersion),$(j root_dir DockerRootDir),$(j swarm Swarm.LocalNodeState),$(j swarm_managers Swarm.Managers),$(j swarm_manager Swarm.ControlAvailable),\"autolock\":${o}if .Swarm.Cluster${c}${o}json .Swarm.Cluster.Spec.EncryptionConfig.AutoLockManagers${c}${o}else${c}null${o}end${c},\"node_certificates\":${o}if .Swarm.Cluster${c}${o}json .Swarm.Cluster.Spec.CAConfig.NodeCertExpiry${c}${o}else${c}null${o}end${c},$(j containers Containers),$(j containers_running ContainersRunning),$(j containers_stopped ContainersStopped),$(j images Images)}" | grep . || echo null
    printf ',"containers":'
    inspected 200 "{$(j id ID),$(j name Name),$(j image Config.Image),$(j user Config.User),$(j running State.Running),\"health\":${o}if .State.Health${c}${o}if eq .State.Health.Status \"none\"${c}false${o}else${c}true${o}end${c}${o}else${c}false${o}end${c},$(j privileged HostConfig.Privileged),$(d cap_add HostConfig.CapAdd '[]'),$(d security_opt HostConfig.SecurityOpt '[]'),$(j network_mode HostConfig.NetworkMode),$(j pid_mode HostConfig.PidMode),$(j ipc_mode HostConfig.IpcMode),$(j uts_mode HostConfig.UTSMode),$(j userns_mode HostConfig.UsernsMode),$(j memory HostConfig.Memory),$(j cpu_shares HostConfig.CPUShares),$(j nano_cpus HostConfig.NanoCPUs),$(j cpu_quota HostConfig.CPUQuota),$(j read_only HostConfig.ReadonlyRootfs),$(j restart_policy HostConfig.RestartPolicy),$(d devices HostConfig.Devices '[]'),$(d ulimits HostConfig.Ulimits '[]'),$(j cgroup_parent HostConfig.CgroupParent),$(d pids_limit HostConfig.PidsLimit 0),$(d ports NetworkSettings.Ports '{}'),$(d mounts Mounts '[]'),$(j apparmor AppArmorProfile),$(j process_label ProcessLabel)}" inspect ps -aq
    printf ',"images":'
    inspected 200 "{$(j id ID),$(d tags RepoTags '[]'),$(j user Config.User),$(yes healthcheck Config.Healthcheck)}" "inspect --type image" images -q
    printf ',"builds":'
    docker_builds
    printf ',"networks":'
    inspected 50 "{$(j name Name),$(j driver Driver),$(d options Options '{}'),\"containers\":${o}len .Containers${c}}" "network inspect" network ls -q
    printf ',"setuid":%s,"sshd":%s,"execs":%s,"swarm":%s' "$(docker_setuid)" "$(docker_sshd)" "$(docker_execs)" "$(docker_swarm)"
  fi
  echo '}'
}

containerd() {
  comma=
  printf '{'
  one_text config /etc/containerd/config.toml
  echo '}'
}

# Bottlerocket reports on itself; its settings are told without credentials, user data and files of host containers.
# Of updates only what was found by the last look is asked for: looking again would change the host.
bottlerocket() {
  if ! has apiclient; then
    if grep -qs '^ID=bottlerocket' "$root/etc/os-release"; then echo '{"here":true}'; else echo '{"here":false}'; fi
    return
  fi
  printf '{"here":true,"cis":'
  soon apiclient report cis -l 2 -f json | grep . || echo null
  printf ',"cis_k8s":'
  soon apiclient report cis-k8s -l 2 -f json | grep . || echo null
  printf ',"settings":'
  soon apiclient get settings.kernel settings.kubernetes.authentication-mode settings.kubernetes.server-tls-bootstrap settings.updates settings.ntp settings.metrics | awk '{ print }' | grep . || echo null
  printf ',"updates":'
  soon apiclient raw -u /updates/status | grep '^ *{' || echo null
  echo '}'
}

# What miners leave beside their processes: preloaded libraries, timers, and scripts in cron's files.
mining() {
  printf '{"preload":'
  if [ -f "$root/etc/ld.so.preload" ]; then lines_of "$root/etc/ld.so.preload"; else echo '[]'; fi
  printf ',"cron":'
  # Lines that fetch and run, or have a miner's mark: other lines are nobody's business.
  cat "$root"/etc/crontab "$root"/etc/cron.d/* "$root"/var/spool/cron/* "$root"/var/spool/cron/crontabs/* |
    tr '\t' ' ' | awk -v miner="$miner" '/^ *#/ { next } tolower($0) ~ miner || /(curl|wget).*[|] *(ba|da)?sh|base64 +(-d|--decode)|\/(tmp|dev\/shm|var\/tmp)\/[^ ]*/ { print }' | lines_of
  printf ',"programs":'
  for dir in "$root"/proc/[0-9]*; do readlink "$dir/exe"; done | grep -E '^/(tmp|var/tmp|dev/shm)/|^/memfd:' | sort -u | lines_of
  echo '}'
}
