# shellcheck shell=bash
# Put before Tailscale's scripts, after mesh-host.sh: what a host says about itself.

state="" mesh_name="" login_server=""

# Fills $state, $mesh_name, $login_server: what the client is, what the mesh calls this host, and whose mesh that is.
read_tailscale() {
  local status
  status=$(timeout 10 tailscale status --json --peers=false 2>/dev/null) || status=""
  state=$(field BackendState <<<"$status")
  mesh_name=$(field DNSName <<<"$status")
  mesh_name=${mesh_name%%.*}
  # shellcheck disable=SC2034 # the join reads it
  login_server=$(timeout 10 tailscale debug prefs 2>/dev/null | field ControlURL) || login_server=""
}

await_state() { # seconds state…
  local deadline=$((SECONDS + $1)) one
  shift
  while :; do
    read_tailscale
    for one in "$@"; do
      [ "$state" != "$one" ] || return 0
    done
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 1
  done
}

# A static port, so that a firewall and a router can know it: https://tailscale.com/docs/reference/faq/firewall-ports
set_port() {
  local file=/etc/default/tailscaled text pending=/run/hybrid-k3s-tailscaled-pending
  text=$(grep -v '^PORT=' "$file" 2>/dev/null) || text=""
  put_file "$file" 0644 "PORT=\"$PORT\"
${text}${text:+
}"
  systemctl enable --quiet tailscaled.service || fail "this host has no tailscaled.service" "fix: install Tailscale with its unit, or let hybrid-k3s install it from a package"
  if [ -e "$pending" ] || ! systemctl is-active --quiet tailscaled.service; then
    systemctl restart tailscaled.service || fail "tailscaled does not start: $(journalctl -u tailscaled -n 1 -o cat --no-pager | cut -c1-200)" "fix: look at: journalctl -u tailscaled -n 30; is /dev/net/tun there?"
    rm -f "$pending"
  fi
}

# What leave_mesh runs: nothing of the client stays, and nothing of what was written for it.
take_out() {
  timeout 30 tailscale logout >/dev/null 2>&1 || true
  systemctl disable --quiet --now tailscaled.service 2>/dev/null || true
  purge_client
  rm -rf /var/lib/tailscale /var/cache/tailscale /run/tailscale /etc/default/tailscaled
  remove_mesh_files
}
