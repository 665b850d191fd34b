# What every part uses: where to look, how JSON is written, and how what may be a secret is taken out of a line.
set -u
# What cannot be read is not there, or says so itself.
exec 2>/dev/null
LC_ALL=C
export LC_ALL
root="${PICKET_ROOT:-}"
# Commands that ask the running system are only used on the running system, or where a test brings its own.
live="${PICKET_LIVE:-}"
[ -n "$root" ] || live=1
sections="${PICKET_SECTIONS:-all}"

# q: a JSON string. red: a line without what may be a secret. kept: words that say nothing, or name a file.
# shellcheck disable=SC2016 # awk's own variables
words='
function q(s) {
  gsub(/[\\"]/, "\\\\&", s); gsub(/\t/, "\\t", s); gsub(/\n/, "\\n", s); gsub(/\r/, "", s)
  gsub(/[\001-\010\013-\037\177]/, " ", s); gsub(/[\200-\377]/, "?", s)
  return "\"" s "\""
}
function octal(s,   i, n) { n = 0; for (i = 1; i <= length(s); i++) n = n * 8 + substr(s, i, 1); return n }
# A comma, but before the first. The users and groups of the node by their numbers; a name that is known, or another.
function sep(n) { return n ? "," : "" }
function load_names(root,   line, f) {
  while ((getline line < (root "/etc/passwd")) > 0) { split(line, f, ":"); user_names[f[3]] = f[1] }
  while ((getline line < (root "/etc/group")) > 0) { split(line, f, ":"); group_names[f[3]] = f[1] }
}
function name_in(list, id, other) { return (id in list) ? list[id] : other }
function kept(key, v,   n, i, part) {
  gsub(/[\047",]/, "", v); sub(/[ \t]+$/, "", v)
  if (v ~ /^(true|false|null|yes|no|none|\{\}|\[\]|([0-9]+(h|m|s|ms)?)+|)$/ && length(v) < 8) return 1
  if (v !~ /^\/[A-Za-z0-9._\/-]+$/ || key !~ /(file|path|dir|config|cert|ca|conf|key)$/) return 0
  n = split(v, part, "/")
  for (i = 1; i <= n; i++) if (length(part[i]) > 60) return 0
  return 1
}
# Programs to which -p or -a gives a password: databases, and miners.
function short_password(s) {
  return tolower(s) ~ /(mysql|mariadb|sshpass|mongo|redis-cli|xmrig|minerd|cpuminer|stratum|xmr|nanominer|ethminer|t-rex|lolminer|phoenixminer)/
}
# So many of them: not every awk counts in its patterns.
function times(s, n,   all) { while (n-- > 0) all = all s; return all }
function shapes(s) {
  gsub(/:\/\/[^@ "\047]*@/, "://reduced@", s)
  gsub(/(-u|--user)[ =]+[^ :]+:[^ ]+/, "-u reduced", s)
  if (short_password(s)) gsub(/[ \t]-[pa][ \t]*[^ \t-][^ \t]*/, " -p reduced", s)
  gsub(/"--?[A-Za-z-]*(pass(word|wd)?|secret|token)"[ \t]*,[ \t]*"[^"]*"/, "\"--secret\",\"reduced\"", s)
  gsub(/eyJ[A-Za-z0-9_-]+[.][A-Za-z0-9_.-]+/, "reduced", s)
  gsub("(AKIA|ASIA)" times("[A-Z0-9]", 8) "+", "reduced", s)
  gsub(/(gh[pousr]_|xox[abpr]-|glpat-|k8s-aws-v1[.])[A-Za-z0-9_-]+/, "reduced", s)
  gsub(/(Bearer|Basic) +[A-Za-z0-9+\/._=-]+/, "reduced", s)
  gsub(times("[a-z0-9]", 6) "[.]" times("[a-z0-9]", 16), "reduced", s)
  return s
}
function secretive(key) {
  key = tolower(key)
  return key ~ /pass(word|wd|phrase)?$|secret|token|credential|api[-_]?key|access[-_]?key|private[-_]?key|key-?data|bearer|^auth$|^pwd$|header|cookie|client-?cert(ificate)?-?data/
}
# An option and its value as two words of a longer line.
function spoken(s,   out, w, key, v) {
  out = ""
  while (match(s, /--?[A-Za-z][A-Za-z0-9_-]* +[^- "\047][^ "\047]*/)) {
    w = substr(s, RSTART, RLENGTH); out = out substr(s, 1, RSTART - 1); s = substr(s, RSTART + RLENGTH)
    key = w; sub(/ .*/, "", key); gsub(/^-+/, "", key)
    if (secretive(key)) { v = w; sub(/^[^ ]* +/, "", v); if (!kept(tolower(key), v)) w = "--" key " reduced" }
    out = out w
  }
  return out s
}
function red(s,   out, depth, len, key, end, v) {
  s = spoken(shapes(s)); out = ""
  while (match(s, /[A-Za-z0-9_.-]+["\047]?[ \t]*[:=][ \t]*/)) {
    key = substr(s, RSTART, RLENGTH); out = out substr(s, 1, RSTART + RLENGTH - 1); s = substr(s, RSTART + RLENGTH)
    sub(/["\047]?[ \t]*[:=][ \t]*$/, "", key)
    if (!secretive(key)) continue
    if (substr(s, 1, 1) == "\"") { v = substr(s, 2); end = index(v, "\""); while (end > 1 && substr(v, end - 1, 1) == "\\") { len = index(substr(v, end + 1), "\""); if (!len) { end = 0; break } end += len } v = end ? substr(s, 1, end + 1) : s }
    else if (s ~ /^[\[{]/) { for (len = depth = 0; len < length(s); ) { v = substr(s, ++len, 1); depth += (v ~ /[\[{]/) - (v ~ /[]}]/); if (!depth) break }; v = substr(s, 1, len) }
    else { match(s, /^[^,} \t"\047]*/); v = substr(s, 1, RLENGTH); if (out ~ /:[ \t]*$/ && s !~ /[,}]/) v = s }
    s = substr(s, length(v) + 1)
    out = out (kept(tolower(key), v) ? v : (v ~ /^["\[{]/ ? "\"reduced\"" : "reduced"))
  }
  return out s
}'

wants() { case ",$sections," in *,all,* | *,"$1",*) ;; *) return 1 ;; esac; }
has() { [ -n "$live" ] && command -v "$1" >/dev/null 2>&1; }
soon() { if command -v timeout >/dev/null 2>&1; then timeout 20 "$@"; else command "$@"; fi; }

# A file's text as a JSON string: what may be a secret taken out, with all that is set in below it.
text_of() {
  awk "$words"'
  { match($0, /^[ \t-]*/); depth = RLENGTH }
  NR > 3000 { exit }
  /-----BEGIN/ { key_block = 1 }
  key_block { if (/-----END/) key_block = 0; next }
  below && (depth > hidden || /^[ \t]*$/) { next }
  { below = 0; line = red($0); all = all (NR > 1 ? "\n" : "") line }
  $0 ~ /:[ \t]*([|>][-+0-9]*)?[ \t]*$/ { key = $0; sub(/:[ \t]*([|>][-+0-9]*)?[ \t]*$/, "", key); gsub(/^[ \t-]*|["\047]/, "", key)
    if (secretive(key) || key ~ /last-applied-configuration|certificateAuthority|-data$/) { below = 1; hidden = depth } }
  END { print q(all) }' "$1"
}

# Lines as a list, without remarks.
lines_of() {
  awk -v most="${most:-400}" "$words"'/^[ \t]*(#|$)/ { next } ++n > most { exit } { printf "%s%s", sep(n > 1), q(red($0)) } BEGIN { printf "[" } END { print "]" }' "$@"
}
