# shellcheck shell=bash
# Put before the scripts that bring a host into the mesh or take it out, after mesh-client.sh: what both clients share.
# shellcheck disable=SC2016 # what stands in quotes is shell for the host
: "${problem=}" "${changed=no}" "${key_path=}"

install_or_fail() {
  local before
  before=$(client_version) || before=""
  install_client || fail "$problem" \
    "fix: does $PACKAGES hold $CLIENT $VERSION for this distribution, and does this host reach it? set mesh.version or mesh.packages"
  [ "$before" = "$VERSION" ] || echo "$CLIENT: ${before:-not there} → $VERSION"
}

# The key reaches the client in a file that only root reads, in memory, and that is gone when the script ends.
key_file() {
  local file
  file=$(mktemp /run/hybrid-k3s-join-XXXXXX)
  # shellcheck disable=SC2064 # the file of now is meant
  trap "rm -f '$file'" EXIT
  printf '%s\n' "${JOIN_KEY:?}" >"$file"
  key_path=$file
}

# The last line that a program said, without the key.
last_line() { # text
  local line
  line=$(grep -v '^[[:space:]]*$' <<<"$1" | tail -n 1 | cut -c1-300) || line=""
  [ -z "${JOIN_KEY:-}" ] || line=${line//"$JOIN_KEY"/…}
  printf %s "$line"
}

# One value of a JSON text that is printed with a field a line.
field() { # name
  sed -n "/^[[:space:]]*\"$1\": /{s/^[^:]*: \"\{0,1\}\([^\",]*\).*/\1/p;q}"
}

set_forwarding() {
  put_file /etc/sysctl.d/91-hybrid-k3s-mesh.conf 0644 '# Packets of pods and of the mesh pass this host (hybrid-k3s).
net.ipv4.ip_forward = 1
'
  sysctl -q -p /etc/sysctl.d/91-hybrid-k3s-mesh.conf || fail "net.ipv4.ip_forward could not be set" "fix: look at /etc/sysctl.d on the host"
}

# Many small UDP packets are handed on as few large ones: https://tailscale.com/docs/reference/best-practices/performance
set_offload() {
  install -d -m 0755 /usr/local/lib/hybrid-k3s
  put_file /usr/local/lib/hybrid-k3s/udp-offload 0755 '#!/bin/sh
# The interface of the default route, where it has these settings at all. Never a reason to fail a boot.
interface=$(ip -4 route show default | sed -n "s/.* dev \([^ ]*\).*/\1/p" | head -n 1)
[ -n "$interface" ] || exit 0
if ethtool -k "$interface" 2>/dev/null | grep -q "^rx-udp-gro-forwarding: .*[^]]$"; then
  ethtool -K "$interface" rx-udp-gro-forwarding "${1:-on}" rx-gro-list off || true
fi
exit 0
'
  put_file /etc/systemd/system/hybrid-k3s-udp-offload.service 0644 '[Unit]
Description=UDP offload of the mesh on the outer interface (hybrid-k3s)
After=network-online.target
Wants=network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/lib/hybrid-k3s/udp-offload on
[Install]
WantedBy=multi-user.target
'
}

# A unit that sets the rules of this site and waits for the mesh, and is started again with the client and with networkd.
# k3s starts after it and not because of it: a mesh that does not come up must not keep k3s down.
#
# Priority 2500: what goes to a neighbour stays on the LAN; the mesh's own rules, from 5200 on, would send it through the
# tunnel. Priority 5300, behind them: what goes to another site goes through the mesh or nowhere, so that pods' packets
# do not leave in the clear by the default route while the client restarts.
#
# Pod networks' own interfaces are closed to the client's packets where it has no setting for that: it would take them for
# ways to its peers, and reach a peer through the very pods that it carries. https://github.com/tailscale/tailscale/issues/1552
set_mesh_unit() { # client's unit, interface, LAN or nothing, other sites' LANs, interfaces that are closed, client's port
  local lan near="" far="" closed=""
  for lan in $5; do
    closed+="iptables -w -C OUTPUT -o $lan -p udp --sport $6 -j DROP 2>/dev/null || iptables -w -I OUTPUT -o $lan -p udp --sport $6 -j DROP
"
  done
  [ -z "$3" ] || near=" 'to $3 lookup main suppress_prefixlength 0'"
  for lan in $4; do far+=" 'to $lan unreachable'"; done
  install -d -m 0755 /usr/local/lib/hybrid-k3s /etc/systemd/networkd.conf.d
  put_file /usr/local/lib/hybrid-k3s/mesh 0755 "#!/bin/sh
# The rules of this site, then half a minute for the mesh's address. Never a reason to fail a boot.
# Rules that stand are not taken out, not even for a moment.
rules() {
  priority=\$1
  shift
  wanted=\$(printf '%s\\n' \"\$@\" | sort)
  found=\$(ip -4 rule show priority \"\$priority\" | sed 's/^[0-9]*:[[:space:]]*from all //; s/[[:space:]]*\$//' | sort)
  [ \"\$found\" != \"\$wanted\" ] || return 0
  while ip -4 rule del priority \"\$priority\" 2>/dev/null; do :; done
  for rule in \"\$@\"; do
    # shellcheck disable=SC2086 # words of a rule
    ip -4 rule add priority \"\$priority\" \$rule
  done
}
rules 2500$near
rules 5300$far
${closed}for second in \$(seq 30); do
  [ -z \"\$(ip -4 -o address show dev $2 2>/dev/null)\" ] || exit 0
  [ \"\$second\" = 30 ] || sleep 1
done
echo \"$2 has no address after 30 s; going on without the mesh\"
exit 0
"
  put_file /etc/systemd/system/hybrid-k3s-mesh.service 0644 "[Unit]
Description=Neighbours on the LAN, the others through the mesh (hybrid-k3s)
After=network.target systemd-networkd.service $1.service
PartOf=systemd-networkd.service $1.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/lib/hybrid-k3s/mesh
TimeoutStartSec=60
[Install]
WantedBy=multi-user.target
"
  # systemd-networkd throws rules out that it does not know, whenever it starts. It is not root: it must be able to read.
  put_file /etc/systemd/networkd.conf.d/91-hybrid-k3s-mesh.conf 0644 '[Network]
ManageForeignRoutingPolicyRules=no
'
  local unit
  for unit in k3s k3s-agent; do
    put_file "/etc/systemd/system/$unit.service.d/20-hybrid-k3s-mesh.conf" 0644 '[Unit]
After=hybrid-k3s-mesh.service
Wants=hybrid-k3s-mesh.service
'
  done
}

# Starts what was written: again, if anything of it changed. Rules that somebody took out stand again in any case.
start_mesh_units() {
  if [ "$changed" = no ] && systemctl is-active --quiet hybrid-k3s-mesh.service; then
    /usr/local/lib/hybrid-k3s/mesh
    return 0
  fi
  systemctl daemon-reload
  systemctl enable --quiet hybrid-k3s-mesh.service hybrid-k3s-udp-offload.service ||
    fail "the units of the mesh could not be switched on" "fix: look at: systemctl status hybrid-k3s-mesh hybrid-k3s-udp-offload"
  systemctl restart hybrid-k3s-mesh.service hybrid-k3s-udp-offload.service ||
    fail "the units of the mesh could not be started" "fix: look at: journalctl -u hybrid-k3s-mesh -u hybrid-k3s-udp-offload -n 20"
  echo "routes: set anew"
}

# Whether somebody is logged in through the mesh, who would be cut off in the middle of what he does.
reached_through_mesh() { # interface
  local peer
  while read -r peer; do
    if ip -4 route get "$peer" 2>/dev/null | grep -q " dev $1 "; then return 0; fi
  done < <(ss -Htnp state established 2>/dev/null | awk '/"sshd/ { print $4 }' | sed -E 's/:[0-9]+$//; s/^\[::ffff:(.*)\]$/\1/' | sort -u)
  return 1
}

# Takes the client off this host: take_out is the script's own.
leave_mesh() { # interface
  if ! reached_through_mesh "$1"; then
    take_out
    echo "mesh: $CLIENT is off this host"
    return 0
  fi
  # This very connection goes through the mesh: it must end in peace before the way it came by goes.
  { declare -f; declare -p CLIENT VERSION PACKAGES problem; echo 'sleep 5; take_out; rm -f /run/hybrid-k3s-leave'; } >/run/hybrid-k3s-leave
  systemd-run --quiet --collect --unit="hybrid-k3s-leave-$$" bash /run/hybrid-k3s-leave ||
    fail "this host could not be taken out of the mesh" "fix: look at: systemctl status hybrid-k3s-leave-$$"
  echo "mesh: this connection goes through it, so it is left in 5 s, in the background"
}

# All that the functions above wrote.
remove_mesh_files() {
  local unit
  for unit in hybrid-k3s-mesh hybrid-k3s-udp-offload; do
    systemctl disable --quiet --now "$unit.service" 2>/dev/null || true
    rm -f "/etc/systemd/system/$unit.service"
  done
  [ ! -x /usr/local/lib/hybrid-k3s/udp-offload ] || /usr/local/lib/hybrid-k3s/udp-offload off
  local priority rule
  if command -v iptables >/dev/null; then
    iptables -w -S OUTPUT 2>/dev/null | sed -n 's/^-A \(OUTPUT -o cilium_host -p udp .*--sport [0-9]* -j DROP\)$/\1/p' | while read -r rule; do
      # shellcheck disable=SC2086 # words of a rule
      iptables -w -D $rule || true
    done
  fi
  for priority in 2500 5300; do
    while ip -4 rule del priority "$priority" 2>/dev/null; do :; done
  done
  for unit in k3s k3s-agent; do
    rm -f "/etc/systemd/system/$unit.service.d/20-hybrid-k3s-mesh.conf"
    rmdir "/etc/systemd/system/$unit.service.d" 2>/dev/null || true
  done
  rm -f /etc/systemd/networkd.conf.d/91-hybrid-k3s-mesh.conf /etc/sysctl.d/91-hybrid-k3s-mesh.conf \
    /usr/local/lib/hybrid-k3s/mesh /usr/local/lib/hybrid-k3s/udp-offload /run/hybrid-k3s-mesh.log
  rmdir /etc/systemd/networkd.conf.d /usr/local/lib/hybrid-k3s 2>/dev/null || true
  systemctl daemon-reload
}

purge_client() {
  if command -v apt-get >/dev/null; then
    if dpkg-query -W "$CLIENT" >/dev/null 2>&1; then
      apt_get --allow-change-held-packages purge "$CLIENT" || fail "$CLIENT could not be removed: $problem" "fix: apt-get purge $CLIENT on the host, then run again"
    fi
  elif rpm -q "$CLIENT" >/dev/null 2>&1; then
    package_manager dnf -y -q remove "$CLIENT" || fail "$CLIENT could not be removed: $problem" "fix: dnf remove $CLIENT on the host, then run again"
  fi
  rm -f "/etc/apt/sources.list.d/$CLIENT.list" "/usr/share/keyrings/$CLIENT-archive-keyring.gpg" "/etc/yum.repos.d/$CLIENT.repo"
  rm -f /var/lib/apt/lists/*"$CLIENT"* 2>/dev/null || true
}
