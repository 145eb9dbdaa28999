# shellcheck shell=bash
# Makes this host's NetBird what a node needs: the pinned client, its port, pods' interfaces kept out of it, k3s after it.
# No rule for the site: NetBird's own rule 105 asks the main table first, for all but the default route.
# https://github.com/netbirdio/netbird/blob/v0.77.1/client/internal/routemanager/systemops/systemops_linux.go
: "${ACTION:?}" "${NODE_NAME:?}" "${VERSION:?}" "${PACKAGES:?}"
: "${state=}" "${mesh_address=}" "${INTERFACES=}"

bring_up() {
  timeout 90 netbird up --management-url "$3" --hostname "$NODE_NAME" --disable-dns --disable-auto-connect=false \
    --network-monitor=false --wireguard-port "$1" --extra-iface-blacklist "$2" 2>&1
}

# What a host came up with before; where nobody wrote it down, what the client itself remembers.
restore_settings() { # text of the settings
  local old
  read -ra old <<<"$1"
  if [ "${#old[@]}" = 3 ]; then
    bring_up "${old[0]#port=}" "${old[1]#interfaces=}" "${old[2]#server=}" >/dev/null
  else
    timeout 90 netbird up >/dev/null 2>&1
  fi
}

# Settings are taken at `up` alone, so a client that has others is taken down for a moment: this is the node's turn. What it
# joined with is written down by the join.
set_preferences() {
  local wanted=$NETBIRD_SETTINGS text before said restored
  text=$(settings_text "$PORT" "$server")
  before=$(cat "$wanted" 2>/dev/null || true)
  [ "$before" != "$text" ] || return 0
  timeout 30 netbird down >/dev/null 2>&1 || true
  if ! said=$(bring_up "$PORT" "$INTERFACES" "$server"); then
    # Whoever works on this host may have come through the mesh: what was there before is better than no way in.
    restored="what it had before is set again"
    restore_settings "$before" || restored="NetBird is down on this host: what it had before does not come up either"
    fail "NetBird does not come up with its settings: $(last_line "$said")" \
      "$restored" "fix: look at: journalctl -u netbird -n 30"
  fi
  put_file "$wanted" 0600 "$text"
}

converge() {
  : "${PORT:?}" "${MANAGEMENT_URL?}" "${ADDRESS:?}" "${LAN:?}" "${OTHER_LANS?}" "${NODE_ADDRESSES:?}"
  server=${MANAGEMENT_URL:-https://api.netbird.io}
  install_or_fail
  start_netbird
  set_preferences
  await_netbird 60 Connected ||
    fail "NetBird is not connected on $NODE_NAME: found ${state:-nothing} · allowed Connected" \
      "fix: NeedsLogin: the peer is gone from the network or its login has expired; a higher generation of $NODE_NAME joins it anew · else: journalctl -u netbird -n 30"
  check_peer "$server"
  # shellcheck disable=SC2034 # put_file sets it
  changed=no
  set_forwarding
  set_offload
  set_mesh_unit netbird wt0 "" "$OTHER_LANS" "" "$PORT"
  start_mesh_units
  echo "mesh: $NODE_NAME, $mesh_address, NetBird $(client_version)"
}

case $ACTION in
  converge) converge ;;
  *) fail "unknown action $ACTION" ;;
esac
