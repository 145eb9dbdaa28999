# shellcheck shell=bash
# Put before NetBird's scripts, after mesh-host.sh: what a host says about itself.

# What the client came up with; the first boot writes the same.
# shellcheck disable=SC2034 # the scripts behind this one read it
NETBIRD_SETTINGS=/etc/hybrid-k3s/netbird
settings_text() { # port server
  printf 'port=%s interfaces=%s server=%s' "$1" "${INTERFACES:-}" "$2"
}

state="" mesh_name="" mesh_address="" management=""

# Fills $state, $mesh_name, $mesh_address, $management.
read_netbird() {
  local status
  status=$(timeout 15 netbird status --json 2>/dev/null | sed 's/[{},]/&\n/g; s/":"/": "/g') || status=""
  state=$(field daemonStatus <<<"$status")
  mesh_name=$(field fqdn <<<"$status")
  mesh_name=${mesh_name%%.*}
  mesh_address=$(field netbirdIp <<<"$status")
  mesh_address=${mesh_address%%/*}
  management=$(sed -n '/"management"/,$p' <<<"$status" | field url)
}

await_netbird() { # seconds state…
  local deadline=$((SECONDS + $1)) one
  shift
  while :; do
    read_netbird
    for one in "$@"; do
      [ "$state" != "$one" ] || return 0
    done
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 1
  done
}

# The package makes and starts the service; where it did not, we do.
start_netbird() {
  if ! systemctl cat netbird.service >/dev/null 2>&1; then
    netbird service install >/dev/null 2>&1 || fail "NetBird's service could not be made" "fix: run netbird service install on the host and read what it says"
  fi
  systemctl enable --quiet netbird.service || true
  systemctl is-active --quiet netbird.service || systemctl start netbird.service ||
    fail "NetBird does not start: $(journalctl -u netbird -n 1 -o cat --no-pager | cut -c1-200)" "fix: look at: journalctl -u netbird -n 30; is /dev/net/tun there?"
}

# Two addresses of a server are one where only the standard port or a last slash tells them apart.
same_server() { # one other
  local one=${1%/} other=${2%/}
  [ "${one%:443}" = "${other%:443}" ]
}

# Tailscale takes all of 100.64.0.0/10 for its own: packets to a NetBird address in it would never leave by wt0.
check_range() {
  local third
  ip -4 -o address show dev tailscale0 2>/dev/null | grep -q inet || return 0
  third=${mesh_address#100.}
  [ "$third" != "$mesh_address" ] || return 0
  third=${third%%.*}
  if [ "$third" -lt 64 ] || [ "$third" -gt 127 ]; then return 0; fi
  fail "Tailscale runs on this host too and takes all of 100.64.0.0/10: found the NetBird address $mesh_address · allowed one outside of it" \
    "fix: give the NetBird account another network range (Settings, Networks), such as 10.200.0.0/16, or take Tailscale off this host"
}

# A host that is somebody's peer already is not taken over.
check_peer() { # management server
  same_server "$management" "$1" ||
    fail "this host is in another NetBird network already: found $management · allowed $1" \
      "fix: run netbird deregister on the host if nobody needs it there, then run again"
  [ "$mesh_name" = "$NODE_NAME" ] ||
    fail "this host is in the NetBird network under another name: found ${mesh_name:-none} · allowed $NODE_NAME" \
      "fix: a peer named $NODE_NAME that stood there before gives it another one: remove both peers, run netbird deregister on the host, then run again"
  check_range
}

# What leave_mesh runs: nothing of the client stays, and nothing of what was written for it.
take_out() {
  timeout 30 netbird deregister >/dev/null 2>&1 || true
  systemctl disable --quiet --now netbird.service 2>/dev/null || true
  if [ -x /usr/bin/netbird ]; then netbird service uninstall >/dev/null 2>&1 || true; fi
  purge_client
  rm -rf /var/lib/netbird /etc/netbird /var/log/netbird /run/netbird /etc/hybrid-k3s/netbird
  remove_mesh_files
}
