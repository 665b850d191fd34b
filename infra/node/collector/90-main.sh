# The document. A part that failed is left out, and `unread` says so.
unread=
member() {
  wants "$1" || return 0
  value="$("$1")"
  if [ -z "$value" ]; then
    unread="$unread${unread:+,}\"$1\":\"the collector got no answer\""
    return 0
  fi
  printf ',\n"%s":%s' "$1" "$value"
}
told() { unread="$unread${unread:+,}\"$1\":\"$2\""; }

document() {
  printf '{"schema":1,"at":"%s"' "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  for part in host files strays processes sockets kubelet kubernetes sysctl accounts groups mounts modules packages systemd sshd audit configs settings guarded docker containerd bottlerocket mining; do
    member "$part"
  done
  [ "$(id -u)" = 0 ] || told root "the collector did not run as root: what only root reads is not there"
  [ -d "$root/proc/1" ] || told processes "there are no processes to see"
  [ -n "$live" ] || told commands "what is asked of the running system was not asked"
  printf ',\n"unread":{%s}}\n' "$unread"
}

# `plain` for people and tests; else packed, since Run Command shows 24,000 characters.
case "${1:-packed}" in
  plain) document ;;
  *)
    document | gzip -9n | base64 | tr -d '\n'
    echo ' end'
    ;;
esac
