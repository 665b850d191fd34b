# Docker, containerd and Bottlerocket. Of containers and images only single fields are asked for: never their variables.
# Two braces in a row would be a parameter of Systems Manager: they are written apart.
o='{''{'
c='}''}'

docker() {
  printf '{'
  comma=
  one_text daemon /etc/docker/daemon.json
  if has docker && soon docker info >/dev/null 2>&1; then
    j() { printf '"%s":%sjson .%s%s' "$1" "$o" "$2" "$c"; }
    printf '%s"info":' "$comma"
    soon docker info --format "{$(j driver Driver),$(j logging_driver LoggingDriver),$(j cgroup_driver CgroupDriver),$(j security_options SecurityOptions),$(j live_restore LiveRestoreEnabled),$(j experimental ExperimentalBuild),$(j server_version ServerVersion),$(j root_dir DockerRootDir),$(j swarm Swarm.LocalNodeState),$(j swarm_managers Swarm.Managers),$(j containers Containers),$(j containers_running ContainersRunning),$(j containers_stopped ContainersStopped),$(j images Images)}" 2>/dev/null || echo null
    printf ',"containers":['
    # shellcheck disable=SC2046 # ids are words
    set -- $(soon docker ps -aq 2>/dev/null | head -n 200)
    [ $# -eq 0 ] || soon docker inspect --format "{$(j id Id),$(j name Name),$(j image Config.Image),$(j user Config.User),$(j running State.Running),$(j privileged HostConfig.Privileged),$(j cap_add HostConfig.CapAdd),$(j security_opt HostConfig.SecurityOpt),$(j network_mode HostConfig.NetworkMode),$(j pid_mode HostConfig.PidMode),$(j ipc_mode HostConfig.IpcMode),$(j uts_mode HostConfig.UTSMode),$(j userns_mode HostConfig.UsernsMode),$(j memory HostConfig.Memory),$(j cpu_shares HostConfig.CpuShares),$(j nano_cpus HostConfig.NanoCpus),$(j read_only HostConfig.ReadonlyRootfs),$(j restart_policy HostConfig.RestartPolicy),$(j devices HostConfig.Devices),$(j ulimits HostConfig.Ulimits),$(j cgroup_parent HostConfig.CgroupParent),$(j pids_limit HostConfig.PidsLimit),$(j ports NetworkSettings.Ports),$(j mounts Mounts),$(j apparmor AppArmorProfile)}" "$@" 2>/dev/null | awk 'NR > 1 { printf "," } { print }'
    printf '],"images":['
    # shellcheck disable=SC2046
    set -- $(soon docker images -q 2>/dev/null | sort -u | head -n 200)
    [ $# -eq 0 ] || soon docker inspect --type image --format "{$(j id Id),$(j tags RepoTags),$(j user Config.User),\"healthcheck\":${o}if .Config.Healthcheck${c}true${o}else${c}false${o}end${c}}" "$@" 2>/dev/null | awk 'NR > 1 { printf "," } { print }'
    printf '],"networks":['
    # shellcheck disable=SC2046
    set -- $(soon docker network ls -q 2>/dev/null | head -n 50)
    [ $# -eq 0 ] || soon docker network inspect --format "{$(j name Name),$(j driver Driver),$(j options Options)}" "$@" 2>/dev/null | awk 'NR > 1 { printf "," } { print }'
    printf ']'
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
bottlerocket() {
  if ! has apiclient; then echo null; return; fi
  printf '{"cis":'
  soon apiclient report cis -l 2 -f json 2>/dev/null | grep . || echo null
  printf ',"cis_k8s":'
  soon apiclient report cis-k8s -l 2 -f json 2>/dev/null | grep . || echo null
  printf ',"settings":'
  soon apiclient get settings.kernel settings.kubernetes.authentication-mode settings.kubernetes.server-tls-bootstrap settings.updates settings.ntp settings.metrics 2>/dev/null | awk '{ print }' | grep . || echo null
  echo '}'
}

# What miners leave beside their processes: preloaded libraries, timers, and scripts in cron's files.
mining() {
  printf '{"preload":'
  if [ -f "$root/etc/ld.so.preload" ]; then lines_of "$root/etc/ld.so.preload"; else echo '[]'; fi
  printf ',"cron":'
  # Lines that fetch and run, or have a miner's mark: other lines are nobody's business.
  cat "$root"/etc/crontab "$root"/etc/cron.d/* "$root"/var/spool/cron/* "$root"/var/spool/cron/crontabs/* 2>/dev/null |
    tr '\t' ' ' | awk -v miner="$miner" '/^ *#/ { next } tolower($0) ~ miner || /(curl|wget).*[|] *(ba|da)?sh|base64 +(-d|--decode)|\/(tmp|dev\/shm|var\/tmp)\/[^ ]*/ { print }' | lines_of
  printf ',"programs":'
  for dir in "$root"/proc/[0-9]*; do readlink "$dir/exe" 2>/dev/null; done | grep -E '^/(tmp|var/tmp|dev/shm)/|^/memfd:' | sort -u | lines_of
  echo '}'
}
