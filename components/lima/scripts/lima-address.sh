# shellcheck shell=bash
# Asks a Lima VM for its address on the LAN and for its SSH host key: Lima itself knows neither. bash 3.2 (macOS).
: "${ACTION:?}" "${VM:?}" "${INTERFACE:?}" "${WAIT_SECONDS:?}"
export PATH="$PATH:/opt/homebrew/bin:/usr/local/bin:/usr/sbin:/sbin"

in_guest() { limactl shell --tty=false --workdir / "$VM" "$@" 2>/dev/null </dev/null || true; }

no_address() {
  local fix="look at: limactl shell $VM ip address"
  if [ "$INTERFACE" = lima0 ]; then
    fix="does macOS's firewall stop bootpd? sudo /usr/libexec/ApplicationFirewall/socketfilterfw --add /usr/libexec/bootpd --unblock /usr/libexec/bootpd; then: limactl stop $VM, and run again"
  fi
  fail "$VM has no address on $INTERFACE after $WAIT_SECONDS s" "fix: $fix"
}

read_address() {
  local deadline=$((SECONDS + WAIT_SECONDS)) address key
  while :; do
    address=$(in_guest ip -4 -o address show dev "$INTERFACE" scope global | awk '{ sub(/\/.*/, "", $4); print $4; exit }')
    key=$(in_guest sudo cat /etc/ssh/ssh_host_ed25519_key.pub | awk '{ print $1 " " $2; exit }')
    if [ -n "$address" ] && [ -n "$key" ]; then break; fi
    [ "$SECONDS" -lt "$deadline" ] || no_address
    sleep 2
  done
  printf '%s\n%s\n' "$address" "$key"
}

case $ACTION in
  read) read_address ;;
  *) fail "unknown action $ACTION" ;;
esac
