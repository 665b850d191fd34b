# Processes. Those that run the cluster are told with their whole command line; of others only the names of options are
# told, unless the line has a mark of a miner.
# shellcheck disable=SC2016 # awk's own variables
miner='stratum[+a-z]*://|xmrig|xmr-?stak|srb-?miner|ethminer|lolminer|nbminer|gminer|t-rex|phoenixminer|teamredminer|bzminer|nanominer|rigel|ccminer|onezerominer|minerd|cpuminer|cgminer|bfgminer|kinsing|kdevtmpfsi|perfctl|--(algo|algorithm|coin)[= ]|donate-level|randomx|(^|[^a-z0-9-])(2miners[.]com|c3pool[.]com|ethermine[.]org|f2pool[.]com|hashvault[.]pro|herominers[.]com|luckpool[.]net|minergate[.]com|minexmr[.]com|moneroocean[.]stream|nanopool[.]org|nicehash[.]com|rplant[.]xyz|supportxmr[.]com|unmineable[.]com|woolypooly[.]com|xmrpool[.]eu)'

# One line a fact: `P pid user exe`, then an `A argument` each, then an `E variable` each (etcd's alone).
process_lines() {
  for dir in "$root"/proc/[0-9]*; do
    pid="${dir##*/}"
    if [ "$pid" = "$$" ] || [ ! -r "$dir/cmdline" ]; then continue; fi
    parent="$(awk '/^PPid:/ { print $2 }' "$dir/status")"
    [ "$parent" != "$$" ] || continue
    line="$(tr '\0\n' '\n ' <"$dir/cmdline" | sed 's/^/A /')"
    [ -n "$line" ] || continue
    user="$(awk '/^Uid:/ { print $2 }' "$dir/status")"
    exe="$(readlink "$dir/exe")"
    printf 'P %s %s %s\n%s\n' "$pid" "${user:-?}" "$exe" "$line"
    case "$line" in
      *etcd*) tr '\0\n' '\n ' <"$dir/environ" | sed -n 's/^ETCD_/E ETCD_/p' ;;
    esac
  done
}

processes() {
  process_lines | awk -v miner="$miner" -v root="$root" "$words"'
  BEGIN { load_names(root); printf "{" }
  function base(s) { sub(/.*\//, "", s); return s }
  function flush(   i, a, whole, line, marked, out, hide) {
    if (pid == "") return
    line = ""; for (i = 1; i <= n; i++) line = line " " arg[i]
    line = substr(line, 2)
    marked = tolower(line) ~ miner
    program = base(arg[1])
    whole = marked || program ~ /^(kubelet|kube-[a-z-]+|etcd|dockerd|containerd|hyperkube|k3s|rke2|cri-dockerd|crio|aws-iam-authenticator|etcd-manager|cloud-controller-manager)$/
    if (program ~ /^(sh|bash|ash|dash|tini|dumb-init)$/ && line ~ /(^|[ \/])(kubelet|kube-(apiserver|controller-manager|scheduler|proxy)|etcd|hyperkube) /) whole = 1
    out = ""; hide = 0
    for (i = 1; i <= n && i <= 200; i++) {
      a = arg[i]
      if (i > 1 && !whole) { if (a !~ /^-/) continue; sub(/[=:].*/, "", a); a = substr(a, 1, 40); if (a !~ /^--/) a = substr(a, 1, 2) }
      if (!whole && i == 1) sub(/ .*/, "", a)
      if (hide && !kept(key, a)) a = "reduced"
      key = a; gsub(/^-+/, "", key)
      hide = whole && a ~ /^--?[A-Za-z]/ && a !~ /=/ && (secretive(key) || (marked && a ~ /^-[pa]$/))
      if (marked && a ~ /^-p./) a = "-preduced"
      out = out sep(i > 1) q(substr(red(a), 1, 2000))
    }
    printf "%s%s:{\"argv\":[%s],\"user\":%s,\"exe\":%s%s%s}", sep(told++), q(pid), out, q(name_in(user_names, user, user)), q(exe), (env == "" ? "" : ",\"env\":{" env "}"), (marked ? ",\"miner\":true" : "")
  }
  /^P / { flush(); pid = $2; user = $3; exe = $0; sub(/^P [^ ]* [^ ]* /, "", exe); n = 0; env = ""; next }
  /^A / { arg[++n] = substr($0, 3); next }
  /^E / { i = index($0, "="); k = substr($0, 3, i - 3); v = substr($0, i + 1)
          if (!secretive(k) && k !~ /TOKEN|AUTH_USER/) env = env sep(env != "") q(k) ":" q(shapes(v)) }
  END { flush(); print "}" }'
}

# What listens, and connections to ports where pools of miners are. `port` is decimal.
sockets() {
  {
    # shellcheck disable=SC2012 # names here are numbers
    ls -ln "$root"/proc/[0-9]*/fd | awk '/:$/ { pid = $0; sub(/\/fd:$/, "", pid); sub(/.*\//, "", pid) } / -> socket:/ { s = $NF; gsub(/[^0-9]/, "", s); print "I", s, pid }'
    for kind in tcp tcp6 udp udp6; do
      [ ! -r "$root/proc/net/$kind" ] || awk -v kind="$kind" 'FNR > 1 { print "S", kind, $2, $3, $4, $10 }' "$root/proc/net/$kind"
    done
  } | awk "$words"'
  function hex(s,   i, n) { n = 0; s = toupper(s); for (i = 1; i <= length(s); i++) n = n * 16 + index("0123456789ABCDEF", substr(s, i, 1)) - 1; return n }
  function four(s) { return hex(substr(s, 7, 2)) "." hex(substr(s, 5, 2)) "." hex(substr(s, 3, 2)) "." hex(substr(s, 1, 2)) }
  function address(s,   i, w, out) {
    if (length(s) == 8) return four(s)
    if (s ~ /^0+$/) return "::"
    if (substr(s, 1, 24) == "0000000000000000FFFF0000") return four(substr(s, 25))
    out = ""
    for (i = 1; i <= 32; i += 8) { w = substr(s, i, 8); out = out (i > 1 ? ":" : "") tolower(substr(w, 7, 2) substr(w, 5, 2) ":" substr(w, 3, 2) substr(w, 1, 2)) }
    return out
  }
  BEGIN { split("3333 4444 5555 7777 8888 9999 14433 14444 20128 45560 45700", p, " "); for (i in p) pool[p[i]] = 1 }
  $1 == "I" { if (!($2 in owner)) owner[$2] = $3; next }
  { split($3, l, ":"); split($4, r, ":"); mine = hex(l[2]); theirs = hex(r[2]); who = ($6 in owner) ? q(owner[$6]) : "null"
    if ($5 == "0A" || ($2 ~ /udp/ && theirs == 0)) a = a sep(a != "") "{\"proto\":" q($2) ",\"address\":" q(address(l[1])) ",\"port\":" mine ",\"pid\":" who "}"
    else if ($2 ~ /tcp/ && (theirs in pool)) b = b sep(b != "") "{\"address\":" q(address(r[1])) ",\"port\":" theirs ",\"pid\":" who "}" }
  END { print "{\"listening\":[" a "],\"to_pools\":[" b "]}" }'
}
