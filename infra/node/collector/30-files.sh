# Files: mode, owner and group of what rules ask about. A place that was looked at and is empty says so. A line has a folder
# and names in it.
places() {
  while read -r dir names; do for name in $names; do echo "$dir/$name"; done; done <<'END'
/etc/kubernetes admin.conf super-admin.conf controller-manager.conf scheduler.conf kubelet.conf bootstrap-kubelet.conf
/etc/kubernetes/kubelet config.json kubelet-config.json
/var/lib/kubelet config.yaml kubeconfig kubeadm-flags.env
/var/lib/kube-proxy kubeconfig
/var/lib/kube-controller-manager kubeconfig
/var/lib/kube-scheduler kubeconfig
/var/lib etcd docker
/etc/rancher/k3s k3s.yaml config.yaml
/etc/rancher/rke2 rke2.yaml
/var/lib/rancher/k3s/server/cred controller.kubeconfig scheduler.kubeconfig
/var/lib/rancher/k3s/agent kubelet.kubeconfig
/var/lib/rancher/rke2/server/cred controller.kubeconfig scheduler.kubeconfig
/root/.docker ca.pem cert.pem key.pem
/usr/bin dockerd containerd containerd-shim containerd-shim-runc-v1 containerd-shim-runc-v2 runc
/run containerd docker.sock
/etc docker passwd passwd- shadow shadow- group group- gshadow gshadow- motd issue issue.net crontab cron.hourly
/etc cron.daily cron.weekly cron.monthly cron.d cron.allow cron.deny at.allow at.deny shells sudoers ld.so.preload
/etc/docker daemon.json
/etc/default docker
/etc/sysconfig docker
/lib/systemd/system docker.service docker.socket
/usr/lib/systemd/system docker.service docker.socket
/etc/systemd/system docker.service docker.socket
/var/run docker.sock
/run/containerd containerd.sock
/etc/containerd config.toml
/etc/ssh sshd_config
/etc/security opasswd opasswd.old
/boot/grub2 grub.cfg user.cfg grubenv
/sbin auditctl aureport ausearch autrace auditd augenrules
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
    [ -r "$dir/cmdline" ] && tr '\0\n' '\n ' <"$dir/cmdline" | tr ' ' '\n' |
      awk 'NR == 1 { first = $0 } /^--?[a-z-]*(file|config|kubeconfig|cert|key|ca|dir|tlscacert|tlscert|tlskey)=?/ { v = $0; if (v ~ /=/) sub(/^[^=]*=/, "", v); else { getline v } if (v ~ /^\/[A-Za-z0-9._\/-]+$/ && first ~ /kube|etcd|docker|containerd|k3s|rke2|sh$/) print v }'
  done
  sed -n 's/.*"tls[a-z]*" *: *"\(\/[A-Za-z0-9._\/-]*\)".*/\1/p' "$root/etc/docker/daemon.json"
  for file in $(kubelet_files); do
    sed -n 's/^[ ",]*\(clientCAFile\|tlsCertFile\|tlsPrivateKeyFile\|kubeconfig\)["]*: *["]*\(\/[A-Za-z0-9._\/-]*\).*/\2/p' "$root$file"
  done
}

found() {
  { places; units; named; } | sort -u | while IFS= read -r path; do
    if [ -e "$root$path" ]; then echo "$root$path"; else echo "- $path"; fi
  done
  trees | while IFS= read -r path; do
    if [ -d "$root$path" ]; then find "$root$path" -maxdepth 4 | head -n 600; else echo "- $path"; fi
  done
}

files() {
  found | sort -u | {
    while IFS= read -r path; do
      case "$path" in
        "- "*) echo "$path" ;;
        *) stat -L -c '%a|%u|%g|%U|%G|%F|%n' "$path" ;;
      esac
    done
  } | awk -F'|' -v root="$root" "$words"'
  BEGIN { load_names(root); printf "{" }
  /^- / { if (!seen[substr($0, 3)]++) printf "%s%s:{\"exists\":false}", sep(n++), q(substr($0, 3)); next }
  { path = $7; for (i = 8; i <= NF; i++) path = path "|" $i
    path = substr(path, length(root) + 1)
    if (seen[path]++) next
    kind = ($6 ~ /directory/) ? "directory" : ($6 ~ /socket/) ? "socket" : ($6 ~ /regular/) ? "file" : "other"
    printf "%s%s:{\"mode\":%d,\"uid\":%d,\"gid\":%d,\"owner\":%s,\"group\":%s,\"kind\":%s}", sep(n++), q(path), octal($1), $2, $3, q(name_in(user_names, $2, $4)), q(name_in(group_names, $3, $5)), q(kind) }
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
    soon find "${root:-/}" -xdev '(' -path "$root/proc" -o -path "$root/sys" -o -path "$root/var/lib/containerd" -o -path "$root/var/lib/docker" -o -path "$root/var/lib/kubelet/pods" ')' -prune -o "$@" -print
    [ $? -ne 124 ] || echo '~cut'
  } | sort | awk -v root="$root" "$words"'$0 == "~cut" { cut = 1; next } ++n <= 200 { all = all sep(n > 1) q(substr($0, length(root) + 1)) } END { printf "%s", cut ? "null" : "[" all "]" }'
}
