# shellcheck shell=bash
# Brings this host into the tailnet under its own name, by a key that works once. Does nothing where it is in already. Or
# takes Tailscale off a host that is given back.
: "${ACTION:?}" "${NODE_NAME:?}"
: "${state=}" "${mesh_name=}" "${login_server=}"
server=${LOGIN_SERVER:-https://controlplane.tailscale.com}

# A host that is somebody's device already is not taken over.
check_membership() {
  [ "${login_server%/}" = "${server%/}" ] ||
    fail "this host is in another tailnet already: found $login_server · allowed ${server}" \
      "fix: run tailscale logout on the host if nobody needs it there, then run again"
  [ "$mesh_name" = "$NODE_NAME" ] ||
    fail "this host is in the tailnet under another name: found ${mesh_name:-none} · allowed $NODE_NAME" \
      "fix: a device named $NODE_NAME that stood there before makes it $NODE_NAME-1: remove both devices from the tailnet, run tailscale logout on the host, then run again"
}

join() {
  local said code=0 key_path=""
  key_file
  said=$(timeout 150 tailscale up --reset --timeout=120s --auth-key="file:$key_path" --hostname="$NODE_NAME" \
    --login-server="$server" --accept-dns=false --accept-routes=false --snat-subnet-routes=false 2>&1) || code=$?
  rm -f "$key_path"
  read_tailscale
  [ "$code$state" = 0Running ] ||
    fail "$NODE_NAME could not join the tailnet at $server: $(last_line "$said")" \
      "fix: does this host reach $server? a key works once, and for as long as mesh.keyLifetime: once it has expired, the next pulumi up makes another; a higher generation of $NODE_NAME does at once"
  check_membership
  echo "joined: $NODE_NAME, $(tailscale ip -4 | head -n 1)"
}

case $ACTION in
  join)
    : "${VERSION:?}" "${PACKAGES:?}" "${LOGIN_SERVER?}" "${PORT:?}" "${JOIN_KEY:?}"
    # Another version than the pinned one is the node's turn's business: not all hosts change at once.
    [ -n "$(client_version)" ] || install_or_fail
    set_port
    await_state 20 Running NeedsLogin NeedsMachineAuth Stopped || fail "tailscaled does not say what it is: found ${state:-nothing}" "fix: look at: journalctl -u tailscaled -n 30"
    if [ "$state" = Stopped ]; then
      # Somebody ran `tailscale down`: the host is in, and asleep.
      timeout 60 tailscale up >/dev/null 2>&1 || true
      await_state 30 Running || fail "Tailscale is switched off on this host and does not come up" "fix: run tailscale up on the host and read what it says"
    fi
    if [ "$state" = Running ]; then
      check_membership
      echo "in already: $NODE_NAME, $(tailscale ip -4 | head -n 1)"
    else
      join
    fi
    ;;
  remove) leave_mesh tailscale0 ;;
  *) fail "unknown action $ACTION" ;;
esac
