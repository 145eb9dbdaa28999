# shellcheck shell=bash
# Brings this host into the NetBird network under its own name, by a setup key that works once. Does nothing where it is
# in already. Or takes NetBird off a host that is given back.
: "${ACTION:?}" "${NODE_NAME:?}"
: "${state=}" "${mesh_address=}" "${INTERFACES=}"
server=${MANAGEMENT_URL:-https://api.netbird.io}

case $ACTION in
  join)
    : "${VERSION:?}" "${PACKAGES:?}" "${MANAGEMENT_URL?}" "${PORT:?}" "${JOIN_KEY:?}"
    # Another version than the pinned one is the node's turn's business: not all hosts change at once.
    [ -n "$(client_version)" ] || install_or_fail
    start_netbird
    await_netbird 20 Connected NeedsLogin LoginFailed Idle || fail "NetBird's service does not say what it is: found ${state:-nothing}" "fix: look at: journalctl -u netbird -n 30"
    if [ "$state" = Connected ]; then
      check_peer "$server"
      echo "in already: $NODE_NAME, $mesh_address"
    else
      key_path=""
      key_file
      code=0
      said=$(timeout 150 netbird up --setup-key-file "$key_path" --management-url "$server" --hostname "$NODE_NAME" \
        --disable-dns --disable-auto-connect=false --network-monitor=false --wireguard-port "$PORT" \
        --extra-iface-blacklist "$INTERFACES" 2>&1) || code=$?
      rm -f "$key_path"
      # shellcheck disable=SC2015 # either of the two is the failure
      [ "$code" = 0 ] && await_netbird 30 Connected ||
        fail "$NODE_NAME could not join the NetBird network at $server: $(last_line "$said")" \
          "fix: does this host reach $server? a key works once, and for as long as mesh.keyLifetime: once it has expired, the next pulumi up makes another; a higher generation of $NODE_NAME does at once"
      check_peer "$server"
      put_file "$NETBIRD_SETTINGS" 0600 "$(settings_text "$PORT" "$server")"
      echo "joined: $NODE_NAME, $mesh_address"
    fi
    ;;
  remove) leave_mesh wt0 ;;
  *) fail "unknown action $ACTION" ;;
esac
