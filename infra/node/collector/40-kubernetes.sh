# Kubernetes: the configuration files of its components as text without secrets, and its static pods.
kubelet_files() {
  for dir in "$root"/proc/[0-9]*; do
    [ -r "$dir/cmdline" ] && tr '\0\n' '\n ' <"$dir/cmdline" |
      awk 'NR == 1 && !/(^|\/)(kubelet|hyperkube)$/ { exit } /^--config=/ { print substr($0, 10) } prev == "--config" { print } { prev = $0 }'
  done
  for file in /var/lib/kubelet/config.yaml /etc/kubernetes/kubelet/config.json /etc/kubernetes/kubelet/kubelet-config.json /var/lib/kubelet/kubelet.config; do
    [ ! -f "$root$file" ] || echo "$file"
  done
}

# The value of a flag of a component, by its command line or its static pod.
flag_of() {
  {
    for dir in "$root"/proc/[0-9]*; do
      [ -r "$dir/cmdline" ] && tr '\0\n' '\n ' <"$dir/cmdline" | tr ' ' '\n'
    done
    for dir in $(static_dirs); do cat "$root$dir"/* | tr ' ,"' '[\n*]'; done
  } | sed -n "s/^--$1=\(\/[A-Za-z0-9._\/-]*\)$/\1/p" | head -n 1
}
static_dirs() { echo /etc/kubernetes/manifests /var/lib/rancher/rke2/agent/pod-manifests /etc/kubelet.d; }

# One file as `name: {path, text}`; nothing where there is no such file.
one_text() {
  [ -n "$2" ] && [ -f "$root$2" ] || return 0
  printf '%s"%s":{"path":"%s","text":%s}' "$comma" "$1" "$2" "$(text_of "$root$2")"
  comma=,
}

kubelet() {
  file="$(kubelet_files | head -n 1)"
  comma=
  printf '{'
  one_text config "$file"
  # Drop-in files of newer kubelets come after the file, in the order of their names.
  drop="$(flag_of config-dir)"
  if [ -n "$drop" ]; then
    printf '%s"drop_ins":[' "$comma"
    between=
    for file in "$root$drop"/*.conf; do
      [ -f "$file" ] && { printf '%s%s' "$between" "$(text_of "$file")"; between=,; }
    done
    printf ']'
  fi
  echo '}'
}

# Encryption: which providers there are, in their order, for what. Nothing below a provider is told.
encryption_of() {
  # Names of providers and resources alone: a key can then not be among them, however the file is laid out.
  tr -d '\r' <"$1" | tr '{},[]' '[\n*]' | awk "$words"'
  { gsub(/["\047]/, ""); gsub(/^[ \t]+|[ \t]+$/, "") }
  /^(- *)?resources:/ { list = "resources"; if (had) flush(); line = $0; sub(/.*resources: */, "", line); if (line == "") next; $0 = line }
  /^(- *)?providers:/ { list = "providers"; next }
  { sub(/^- */, "") }
  list == "providers" && match($0, /^(identity|aescbc|aesgcm|secretbox|kms) *(:|$)/) { w = $0; sub(/ *:.*/, "", w); p = p sep(p != "") "{" q(w) ":{}}"; had = 1; next }
  list == "resources" && /^[a-z*][a-z.*]*$/ && length($0) < 64 { r = r sep(r != "") q($0) }
  function flush() { all = all sep(all != "") "{\"resources\":[" r "],\"providers\":[" p "]}"; r = p = ""; had = 0 }
  END { if (had) flush(); print "{\"resources\":[" all "]}" }'
}

kubernetes() {
  comma=
  printf '{'
  file="$(flag_of encryption-provider-config)"
  [ -n "$file" ] || file="$(flag_of experimental-encryption-provider-config)"
  if [ -n "$file" ] && [ -f "$root$file" ]; then
    printf '"encryption_config":%s' "$(encryption_of "$root$file")"
    comma=,
  fi
  one_text audit_policy "$(flag_of audit-policy-file)"
  one_text authentication_config "$(flag_of authentication-config)"
  one_text authorization_config "$(flag_of authorization-config)"
  one_text admission_config "$(flag_of admission-control-config-file)"
  proxy=/var/lib/kube-proxy/config.conf
  for file in /var/lib/kube-proxy-config/config /etc/kubernetes/kube-proxy.yaml; do [ ! -f "$root$file" ] || proxy="$file"; done
  one_text kube_proxy_config "$proxy"
  one_text k3s_config /etc/rancher/k3s/config.yaml
  one_text rke2_config /etc/rancher/rke2/config.yaml
  printf '%s"static_pods":{' "$comma"
  comma=
  for dir in $(static_dirs); do
    for file in "$root$dir"/*.yaml "$root$dir"/*.yml "$root$dir"/*.manifest "$root$dir"/*.json; do
      [ -f "$file" ] || continue
      printf '%s"%s":%s' "$comma" "$(name_of "${file#"$root"}")" "$(manifest_of "$file")"
      comma=,
    done
  done
  echo '}}'
}
name_of() { printf %s "$1" | tr -c 'A-Za-z0-9._/@:+-' '?'; }

# A static pod as one command line a container: variables and annotations may hold anything, and stay.
manifest_of() {
  awk "$words"'
  { gsub(/\r/, ""); match($0, /^ */); depth = RLENGTH; if (match($0, /^ *- /)) inner = RLENGTH; else inner = depth }
  /^ *(- )?(command|args): *\[/ { line = $0; sub(/^[^\[]*\[/, "", line); sub(/\].*/, "", line); n = split(line, w, /, */); for (i = 1; i <= n; i++) add(w[i]); in_list = 0; next }
  /^ *(- )?(command|args): *$/ { in_list = 1; at = /^ *- / ? depth + 2 : depth; next }
  in_list && /^ *- / && depth >= at { line = $0; sub(/^ *- /, "", line); add(line); next }
  in_list && depth > at && !/^ *- / { line = $0; sub(/^ */, "", line); argument[m] = argument[m] " " line; next }
  { in_list = 0 }
  /^ *(- )?image: / { line = $0; sub(/.*image: */, "", line); image = image sep(image != "") q(bare(line)) }
  /^ *(- )?hostNetwork: *true/ { host = 1 }
  function bare(s) { gsub(/^["\047 ]+|["\047 ]+$/, "", s); return s }
  function add(s) { argument[++m] = bare(s) }
  END { for (i = 1; i <= m; i++) { a = red(argument[i]); if (hide && !kept("", a)) a = "reduced"; key = argument[i]; gsub(/^-+/, "", key); hide = argument[i] ~ /^--/ && argument[i] !~ /=/ && secretive(key); out = out sep(i > 1) q(a) }
    printf "{\"argv\":[%s],\"images\":[%s],\"host_network\":%s}", out, image, host ? "true" : "false" }' "$1"
}
