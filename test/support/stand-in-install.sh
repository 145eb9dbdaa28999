#!/bin/sh
# Stands in for k3s's installer, https://github.com/k3s-io/k3s/blob/v1.36.3%2Bk3s1/install.sh: the part that hybrid-k3s
# uses, which is a download that is there already, one word for the role, and units and scripts in the same places.
set -eu
[ "${INSTALL_K3S_SKIP_DOWNLOAD:-}" = true ] || { echo "[ERROR] stand-in: downloads are not supported" >&2; exit 1; }
[ -x /usr/local/bin/k3s ] || { echo "[ERROR] Executable k3s binary not found at /usr/local/bin/k3s" >&2; exit 1; }
role=${INSTALL_K3S_EXEC:-${1:-server}}
case $role in
  server) name=k3s type=notify uninstall=k3s-uninstall.sh ;;
  agent) name=k3s-agent type=notify uninstall=k3s-agent-uninstall.sh ;;
  *) echo "[ERROR] stand-in: unknown role $role" >&2; exit 1 ;;
esac
for link in kubectl crictl ctr; do
  [ -e "/usr/local/bin/$link" ] || ln -s k3s "/usr/local/bin/$link"
done
cat >/usr/local/bin/k3s-killall.sh <<'END'
#!/bin/sh
for unit in k3s k3s-agent; do
  if [ -e "/etc/systemd/system/$unit.service" ]; then systemctl stop "$unit"; fi
done
rm -rf /run/k3s /run/flannel
END
cat >"/usr/local/bin/$uninstall" <<END
#!/bin/sh
set -x
/usr/local/bin/k3s-killall.sh
systemctl disable $name
rm -f /etc/systemd/system/$name.service /etc/systemd/system/$name.service.env
systemctl daemon-reload
systemctl reset-failed $name
rm -f /usr/local/bin/kubectl /usr/local/bin/crictl /usr/local/bin/ctr
rm -rf /etc/rancher/k3s /run/k3s /run/flannel /var/lib/rancher/k3s /var/lib/kubelet
rm -f /usr/local/bin/k3s /usr/local/bin/k3s-killall.sh /usr/local/bin/$uninstall
END
chmod 0755 /usr/local/bin/k3s-killall.sh "/usr/local/bin/$uninstall"
: >"/etc/systemd/system/$name.service.env"
cat >"/etc/systemd/system/$name.service" <<END
[Unit]
Description=Stand-in for k3s
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=$type
NotifyAccess=all
EnvironmentFile=-/etc/systemd/system/$name.service.env
KillMode=process
Delegate=yes
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStart=/usr/local/bin/k3s $role
END
if [ "${INSTALL_K3S_SKIP_ENABLE:-}" != true ]; then
  systemctl enable "$name"
  systemctl daemon-reload
fi
if [ "${INSTALL_K3S_SKIP_ENABLE:-}" != true ] && [ "${INSTALL_K3S_SKIP_START:-}" != true ]; then systemctl restart "$name"; fi
