# Files: mode, owner and group of what rules ask about. A place that was looked at and is empty says so.
places() {
  cat <<'END'
/etc/kubernetes/admin.conf
/etc/kubernetes/super-admin.conf
/etc/kubernetes/controller-manager.conf
/etc/kubernetes/scheduler.conf
/etc/kubernetes/kubelet.conf
/etc/kubernetes/kubelet/config.json
/etc/kubernetes/kubelet/kubelet-config.json
/etc/kubernetes/bootstrap-kubelet.conf
/var/lib/kubelet/config.yaml
/var/lib/kubelet/kubeconfig
/var/lib/kubelet/kubeadm-flags.env
/var/lib/kube-proxy/kubeconfig
/var/lib/kube-controller-manager/kubeconfig
/var/lib/kube-scheduler/kubeconfig
/var/lib/etcd
/etc/rancher/k3s/k3s.yaml
/etc/rancher/k3s/config.yaml
/etc/rancher/rke2/rke2.yaml
/var/lib/rancher/k3s/server/cred/controller.kubeconfig
/var/lib/rancher/k3s/server/cred/scheduler.kubeconfig
/var/lib/rancher/k3s/agent/kubelet.kubeconfig
/var/lib/rancher/rke2/server/cred/controller.kubeconfig
/var/lib/rancher/rke2/server/cred/scheduler.kubeconfig
/etc/docker
/etc/docker/daemon.json
/etc/default/docker
/etc/sysconfig/docker
/lib/systemd/system/docker.service
/lib/systemd/system/docker.socket
/usr/lib/systemd/system/docker.service
/usr/lib/systemd/system/docker.socket
/etc/systemd/system/docker.service
/etc/systemd/system/docker.socket
/var/run/docker.sock
/run/docker.sock
/run/containerd/containerd.sock
/etc/containerd/config.toml
/etc/passwd
/etc/passwd-
/etc/shadow
/etc/shadow-
/etc/group
/etc/group-
/etc/gshadow
/etc/gshadow-
/etc/motd
/etc/issue
/etc/issue.net
/etc/crontab
/etc/cron.hourly
/etc/cron.daily
/etc/cron.weekly
/etc/cron.monthly
/etc/cron.d
/etc/cron.allow
/etc/cron.deny
/etc/at.allow
/etc/at.deny
/etc/ssh/sshd_config
/etc/security/opasswd
/etc/security/opasswd.old
/etc/shells
/boot/grub2/grub.cfg
/boot/grub2/user.cfg
/boot/grub2/grubenv
/etc/sudoers
/etc/ld.so.preload
/sbin/auditctl
/sbin/aureport
/sbin/ausearch
/sbin/autrace
/sbin/auditd
/sbin/augenrules
END
}
trees() {
  cat <<'END'
/etc/kubernetes/manifests
/etc/kubelet.d
/var/lib/rancher/rke2/agent/pod-manifests
/etc/kubernetes/pki
/srv/kubernetes
/var/lib/minikube/certs
/var/lib/rancher/k3s/server/tls
/var/lib/rancher/rke2/server/tls
/etc/cni/net.d
/etc/systemd/system/kubelet.service.d
/usr/lib/systemd/system/kubelet.service.d
/etc/docker/certs.d
/etc/ssh
/etc/sudoers.d
/etc/audit
/var/log
END
}
units() { printf '%s\n' /etc/systemd/system/kubelet.service /lib/systemd/system/kubelet.service /usr/lib/systemd/system/kubelet.service; }

# Files that the command lines and the kubelet's configuration name.
named() {
  for dir in "$root"/proc/[0-9]*; do
    [ -r "$dir/cmdline" ] && tr '\0\n' '\n ' <"$dir/cmdline" 2>/dev/null | tr ' ' '\n' |
      awk 'NR == 1 { first = $0 } /^--?[a-z-]*(file|config|kubeconfig|cert|key|ca|dir|tlscacert|tlscert|tlskey)=?/ { v = $0; if (v ~ /=/) sub(/^[^=]*=/, "", v); else { getline v } if (v ~ /^\/[A-Za-z0-9._\/-]+$/ && first ~ /kube|etcd|docker|containerd|k3s|rke2|sh$/) print v }'
  done
  for file in $(kubelet_files); do
    sed -n 's/^[ ",]*\(clientCAFile\|tlsCertFile\|tlsPrivateKeyFile\|kubeconfig\)["]*: *["]*\(\/[A-Za-z0-9._\/-]*\).*/\2/p' "$root$file" 2>/dev/null
  done
}

found() {
  { places; units; named; } | sort -u | while IFS= read -r path; do
    if [ -e "$root$path" ]; then echo "$root$path"; else echo "- $path"; fi
  done
  trees | while IFS= read -r path; do
    if [ -d "$root$path" ]; then find "$root$path" -maxdepth 4 2>/dev/null | head -n 600; else echo "- $path"; fi
  done
}

files() {
  found | sort -u | {
    while IFS= read -r path; do
      case "$path" in
        "- "*) echo "$path" ;;
        *) stat -L -c '%a|%u|%g|%U|%G|%F|%n' "$path" 2>/dev/null ;;
      esac
    done
  } | awk -F'|' -v root="$root" "$words"'
  function octal(s,   i, n) { n = 0; for (i = 1; i <= length(s); i++) n = n * 8 + substr(s, i, 1); return n }
  BEGIN {
    while ((getline line < (root "/etc/passwd")) > 0) { split(line, f, ":"); user[f[3]] = f[1] }
    while ((getline line < (root "/etc/group")) > 0) { split(line, f, ":"); group[f[3]] = f[1] }
    printf "{"
  }
  /^- / { if (!seen[substr($0, 3)]++) printf "%s%s:{\"exists\":false}", (n++ ? "," : ""), q(substr($0, 3)); next }
  { path = $7; for (i = 8; i <= NF; i++) path = path "|" $i
    path = substr(path, length(root) + 1)
    if (seen[path]++) next
    kind = ($6 ~ /directory/) ? "directory" : ($6 ~ /socket/) ? "socket" : ($6 ~ /regular/) ? "file" : "other"
    printf "%s%s:{\"mode\":%d,\"uid\":%d,\"gid\":%d,\"owner\":%s,\"group\":%s,\"kind\":%s}", (n++ ? "," : ""), q(path), octal($1), $2, $3, q($2 in user ? user[$2] : $4), q($3 in group ? group[$3] : $5), q(kind) }
  END { print "}" }'
}

# World-writable files, files that belong to nobody, and programs that run as their owner: paths, on local disks alone.
strays() {
  printf '{"world_writable":'
  stray_list ! -type l -perm -0002 ! -perm -1000
  printf ',"unowned":'
  stray_list '(' -nouser -o -nogroup ')'
  printf ',"setuid":'
  stray_list -type f '(' -perm -4000 -o -perm -2000 ')'
  echo '}'
}
# A search that took too long is cut, and null: half a list would look like a clean one.
stray_list() {
  {
    soon find "${root:-/}" -xdev '(' -path "$root/proc" -o -path "$root/sys" -o -path "$root/var/lib/containerd" -o -path "$root/var/lib/docker" -o -path "$root/var/lib/kubelet/pods" ')' -prune -o "$@" -print 2>/dev/null
    [ $? -ne 124 ] || echo '~cut'
  } | sort | awk -v root="$root" "$words"'$0 == "~cut" { cut = 1; next } ++n <= 200 { all = all (n > 1 ? "," : "") q(substr($0, length(root) + 1)) } END { printf "%s", cut ? "null" : "[" all "]" }'
}
