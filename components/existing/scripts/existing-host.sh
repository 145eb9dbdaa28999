# shellcheck shell=bash
# A host that stood before hybrid-k3s: claims it, checks that it still is the same one, gives it back clean.
: "${ACTION:?}" "${NODE_NAME:?}" "${REGION:?}" "${GENERATION:?}" "${OWNER:?}"
claim=/etc/hybrid-k3s/machine
# The owner is known to one stack's state alone: a second stack with the same settings is another owner.
whose="region=$REGION machine=$NODE_NAME owner=$OWNER"
ours="$whose generation=$GENERATION"
found=$(cat "$claim" 2>/dev/null) || found=""

claim_host() {
  local missing=() tool
  for tool in systemctl curl awk sha256sum; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [ ${#missing[@]} = 0 ] || fail "this host has no ${missing[*]} · fix: install them (a systemd distribution with curl, coreutils, util-linux)"
  case $found in
    "$ours") ;;
    "$whose generation="*)
      # An earlier generation that could not be given back: this one starts from scratch.
      release_host
      ;;
    ?*)
      fail "this host is in use already: found ${found%% owner=*} of another stack · allowed no claim, or this stack's" \
        "fix: remove it from the other stack first · if this stack's state was lost: restore it (pulumi stack import), or, if nothing on the host is needed, delete $claim there"
      ;;
    *)
      if [ -e /etc/rancher/k3s ] || [ -e /var/lib/rancher/k3s ] || [ -e /usr/local/bin/k3s ]; then
        fail "this host has a k3s that hybrid-k3s did not install (/usr/local/bin/k3s, /etc/rancher/k3s or /var/lib/rancher/k3s)" \
          "fix: uninstall it (k3s-uninstall.sh or k3s-agent-uninstall.sh), or take another host; it is never adopted and never deleted"
      fi
      ;;
  esac
  put_file "$claim" 0600 "$ours"
  echo "claimed for region=$REGION machine=$NODE_NAME"
}

verify_host() {
  [ -n "$found" ] || fail "this is not the host that $NODE_NAME was: it carries no claim · fix: raise the generation of $NODE_NAME to move the node to this host"
  [ "$found" = "$ours" ] || fail "this is not the host that $NODE_NAME was: found ${found%% owner=*} · allowed this stack's claim for $NODE_NAME · fix: correct the address"
  echo "still region=$REGION machine=$NODE_NAME"
}

release_host() {
  case $found in
    "$whose generation="*) ;;
    *)
      echo "nothing of this stack is on this host"
      return 0
      ;;
  esac
  local uninstall unit log device
  log=$(mktemp /var/tmp/hybrid-k3s-uninstall-XXXXXX)
  # Left in place, Cilium's interfaces take the host off its network when k3s goes: https://docs.k3s.io/networking/basic-network-options
  for device in cilium_host cilium_net cilium_vxlan; do
    ip link delete "$device" >/dev/null 2>&1 || true
  done
  for uninstall in /usr/local/bin/k3s-uninstall.sh /usr/local/bin/k3s-agent-uninstall.sh; do
    [ ! -x "$uninstall" ] || "$uninstall" >"$log" 2>&1 ||
      fail "$uninstall failed: $(tail -n 1 "$log" | cut -c1-200)" "fix: look at $log on the host, then run again"
  done
  rm -f "$log"
  for unit in k3s k3s-agent; do
    systemctl stop "$unit" >/dev/null 2>&1 || true
    rm -rf "/etc/systemd/system/$unit.service" "/etc/systemd/system/$unit.service.env" "/etc/systemd/system/$unit.service.d"
  done
  systemctl daemon-reload >/dev/null 2>&1 || true
  # A volume that is still mounted is somebody's data: nothing below it is removed.
  local mounted
  mounted=$(awk '$2 ~ "^/var/lib/(kubelet|rancher/k3s)/" { print $2 }' /proc/mounts | head -n 3 | paste -sd' ')
  [ -z "$mounted" ] || fail "volumes are still mounted: $mounted" "fix: unmount them on the host, then run again"
  rm -rf --one-file-system /etc/rancher/k3s /etc/rancher/node /var/lib/rancher/k3s /var/lib/kubelet /run/k3s /run/flannel \
    /usr/local/bin/k3s /etc/sysctl.d/90-hybrid-k3s.conf /var/lib/hybrid-k3s 2>/dev/null || true
  # Pod addresses that flannel's network handed out; other networks of the host may stand beside it.
  rm -rf /var/lib/cni/networks/cbr0 /var/lib/cni/results/cbr0-*
  rmdir /var/lib/cni/networks /var/lib/cni/results /var/lib/cni /etc/rancher /var/lib/rancher 2>/dev/null || true
  if [ -e /etc/rancher/k3s ] || [ -e /var/lib/rancher/k3s ] || [ -e /usr/local/bin/k3s ]; then
    # shellcheck disable=SC2012 # three names that are known
    fail "k3s could not be removed: $(ls -d /etc/rancher/k3s /var/lib/rancher/k3s /usr/local/bin/k3s 2>/dev/null | paste -sd' ') is still there" "fix: remove it on the host, then run again"
  fi
  rm -rf /etc/hybrid-k3s
  echo "clean: k3s and everything of region=$REGION machine=$NODE_NAME is gone"
}

# shellcheck disable=SC2034 # put_file sets it
changed=no
case $ACTION in
  claim) claim_host ;;
  verify) verify_host ;;
  release) release_host ;;
  *) fail "unknown action $ACTION" ;;
esac
