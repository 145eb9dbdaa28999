# shellcheck shell=bash
# Makes this host's Tailscale what a node needs: the pinned client, its own route, its neighbours on the LAN, and
# k3s after it.
: "${ACTION:?}" "${NODE_NAME:?}" "${VERSION:?}" "${PACKAGES:?}"
: "${state=}" "${mesh_name=}" "${problem=}"

# What this host offers the tailnet, and what it takes from it. DNS stays the host's own: pods would inherit the mesh's.
set_preferences() {
  local route="" relay="" said
  [ "$NODE_ADDRESSES" = mesh ] || route=$ADDRESS/32
  # shellcheck disable=SC2153 # a parameter
  [ "$RELAY" = no ] || relay=$RELAY_PORT
  said=$(timeout 60 tailscale set --hostname="$NODE_NAME" --accept-dns=false --accept-routes --advertise-routes="$route" \
    --snat-subnet-routes=false --auto-update=false --relay-server-port="$relay" 2>&1) ||
    fail "Tailscale does not take its settings: $(last_line "$said")" "fix: look at: journalctl -u tailscaled -n 30"
}

# The host's own allowed addresses are what the control server has approved, not what this host offers.
route_is_approved() { timeout 10 tailscale status --json --peers=false 2>/dev/null | grep -qF "\"$ADDRESS/32\""; }

await_route() {
  local start=$SECONDS asked=no
  [ "$NODE_ADDRESSES" = lan ] || return 0
  until route_is_approved; do
    [ $((SECONDS - start)) -lt 60 ] ||
      fail "the route $ADDRESS/32 of $NODE_NAME is advertised, but not approved within 60 s" \
        "fix: the tailnet's policy must hold it: \"autoApprovers\": { \"routes\": { \"$LAN\": [\"<the nodes' tag>\"] } }; set mesh.policy to merge to let hybrid-k3s write that, or approve the route by hand"
    # headscale (0.29) approves a route and tells everybody but the node itself, until that asks for the whole map again.
    if [ "$asked" = no ] && [ $((SECONDS - start)) -ge 10 ]; then
      asked=yes
      systemctl restart tailscaled.service
    fi
    sleep 1
  done
}

converge() {
  : "${PORT:?}" "${ADDRESS:?}" "${LAN:?}" "${OTHER_LANS?}" "${NODE_ADDRESSES:?}" "${SITE_RULE:?}" "${RELAY:?}" "${RELAY_PORT?}"
  local rule=""
  install_or_fail
  set_port
  await_state 60 Running ||
    fail "Tailscale does not run on $NODE_NAME: found ${state:-nothing} · allowed Running" \
      "fix: NeedsLogin: the device is gone from the tailnet or its key has expired; a higher generation of $NODE_NAME joins it anew · else: journalctl -u tailscaled -n 30"
  [ "$mesh_name" = "$NODE_NAME" ] ||
    fail "this host is in the tailnet under another name: found ${mesh_name:-none} · allowed $NODE_NAME" "fix: remove the device from the tailnet and raise the generation of $NODE_NAME"
  # shellcheck disable=SC2034 # put_file sets it
  changed=no
  set_forwarding
  set_offload
  [ "$SITE_RULE" = no ] || rule=$LAN
  set_mesh_unit tailscaled tailscale0 "$rule" "$OTHER_LANS"
  # The rule stands before routes are taken: a neighbour that is reached over the LAN is never pulled into the tunnel.
  start_mesh_units
  set_preferences
  await_route
  echo "mesh: $NODE_NAME, $(tailscale ip -4 | head -n 1), Tailscale $(client_version)"
}

case $ACTION in
  converge) converge ;;
  *) fail "unknown action $ACTION" ;;
esac
