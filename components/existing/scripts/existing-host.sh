# shellcheck shell=bash
# A host that stood before hybrid-k3s: claims it, checks that it still is the same one, gives it back clean.
: "${ACTION:?}" "${NODE_NAME:?}" "${REGION:?}"
claim=/etc/hybrid-k3s/machine
ours="region=$REGION machine=$NODE_NAME"

claim_host() {
  local missing=() tool
  for tool in systemctl curl flock timeout awk sha256sum; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [ ${#missing[@]} = 0 ] || fail "this host has no ${missing[*]} · fix: install them (a systemd distribution with curl, coreutils, util-linux)"
  if [ -f "$claim" ] && [ "$(cat "$claim")" != "$ours" ]; then
    fail "this host is in use already: found $(cat "$claim") · allowed $ours" \
      "fix: remove it from the other region first, or, if that region is gone, delete $claim on the host"
  fi
  if [ ! -f "$claim" ] && { [ -e /etc/rancher/k3s ] || [ -e /var/lib/rancher/k3s ] || [ -e /usr/local/bin/k3s ]; }; then
    fail "this host has a k3s that hybrid-k3s did not install (/usr/local/bin/k3s, /etc/rancher/k3s or /var/lib/rancher/k3s)" \
      "fix: uninstall it (k3s-uninstall.sh or k3s-agent-uninstall.sh), or take another host; it is never adopted and never deleted"
  fi
  put_file "$claim" 0644 "$ours"
  echo "claimed for $ours"
}

verify_host() {
  [ -f "$claim" ] || fail "this is not the host that $NODE_NAME was: it carries no claim · fix: raise the generation of $NODE_NAME to move the node to this host"
  [ "$(cat "$claim")" = "$ours" ] || fail "this is not the host that $NODE_NAME was: found $(cat "$claim") · allowed $ours · fix: correct the address"
  echo "still $ours"
}

release_host() {
  if [ ! -f "$claim" ] || [ "$(cat "$claim")" != "$ours" ]; then
    echo "nothing of $ours is on this host"
    return 0
  fi
  local uninstall unit
  for uninstall in /usr/local/bin/k3s-uninstall.sh /usr/local/bin/k3s-agent-uninstall.sh; do
    [ ! -x "$uninstall" ] || "$uninstall" >/tmp/hybrid-k3s-uninstall.log 2>&1 ||
      fail "$uninstall failed: $(tail -n 1 /tmp/hybrid-k3s-uninstall.log | cut -c1-200)" "fix: look at /tmp/hybrid-k3s-uninstall.log on the host, then run again"
  done
  for unit in k3s k3s-agent; do
    systemctl stop "$unit" >/dev/null 2>&1 || true
    rm -rf "/etc/systemd/system/$unit.service" "/etc/systemd/system/$unit.service.env" "/etc/systemd/system/$unit.service.d"
  done
  systemctl daemon-reload >/dev/null 2>&1 || true
  rm -rf /etc/rancher /var/lib/rancher /var/lib/kubelet /var/lib/cni /etc/cni /run/k3s /run/flannel /usr/local/bin/k3s \
    /etc/sysctl.d/90-hybrid-k3s.conf /tmp/hybrid-k3s-uninstall.log
  rm -rf /etc/hybrid-k3s
  echo "clean: k3s and everything of $ours is gone"
}

# shellcheck disable=SC2034 # put_file sets it
changed=no
case $ACTION in
  claim) claim_host ;;
  verify) verify_host ;;
  release) release_host ;;
  *) fail "unknown action $ACTION" ;;
esac
