# shellcheck shell=bash
# Makes this host the k3s server or agent that its configuration says. Takes up where an earlier run stopped.
: "${ACTION:?}" "${NODE_NAME:?}" "${ROLE:?}" "${VERSION:?}" "${CONFIG:?}" "${REGISTRIES?}" "${SERVER_CA:?}" "${TOKEN:?}"
: "${AGENT_TOKEN?}" "${MIRROR?}" "${SHA256_AMD64?}" "${SHA256_ARM64?}" "${SHA256_INSTALLER?}" "${START_SECONDS:?}"
: "${AUDIT_POLICY?}" "${ADMISSION?}" "${SYSCTL?}"

etc=/etc/rancher/k3s
server_dir=/var/lib/rancher/k3s/server
# k3s leaves this when it was removed from etcd: https://github.com/k3s-io/k3s/blob/v1.36.3%2Bk3s1/pkg/etcd/etcd.go
tombstone=$server_dir/db/etcd/tombstone
unit=k3s
[ "$ROLE" = server ] || unit=k3s-agent
changed=no
# Stands from the first change until k3s runs with it.
pending=/var/lib/hybrid-k3s/restart-pending
mkdir -p "$(dirname "$pending")"

fetch() { # address file
  case $1 in
    file://*) cp -- "${1#file://}" "$2" 2>/dev/null || return 1 ;;
    *) curl --fail --silent --show-error --location --retry 3 --retry-connrefused --connect-timeout 15 --max-time 600 \
      --output "$2" "$1" 2>"$2.error" || return 1 ;;
  esac
}

# Where the release's files are: a mirror keeps them in a folder named after the version.
address_of() { # file
  local tag=${VERSION//+/%2B}
  case $MIRROR in
    file://*) printf '%s/%s/%s' "$MIRROR" "$VERSION" "$1" ;;
    ?*) printf '%s/%s/%s' "$MIRROR" "$tag" "$1" ;;
    *) if [ "$1" = install.sh ]; then
      printf 'https://raw.githubusercontent.com/k3s-io/k3s/%s/install.sh' "$tag"
    else
      printf 'https://github.com/k3s-io/k3s/releases/download/%s/%s' "$tag" "$1"
    fi ;;
  esac
}

fetch_or_fail() { # file path
  fetch "$(address_of "$1")" "$2" ||
    fail "could not fetch $(address_of "$1"): $(tail -n 1 "$2.error" 2>/dev/null | cut -c1-200)" \
      "nothing was installed · fix: let this host reach that address, or set kubernetes.mirror to a directory that it reaches"
}

# The digest of the binary: the pinned one, or else the one line of the release's own checksum file that names it.
expected_digest() { # architecture asset pinned folder
  if [ -n "$3" ]; then
    printf %s "$3"
    return 0
  fi
  fetch_or_fail "sha256sum-$1.txt" "$4/checksums"
  local lines
  lines=$(awk -v asset="$2" '$1 ~ /^[0-9a-f]+$/ && length($1) == 64 && ($2 == asset || $2 == "*" asset) { print $1 }' "$4/checksums")
  [ "$(printf '%s\n' "$lines" | grep -c .)" = 1 ] ||
    fail "the checksum file of $VERSION has not exactly one line for $2; nothing was installed · fix: check the mirror, or record the digest in versions.yaml"
  printf %s "$lines"
}

# The guardrail compares with the last run that completed; this host may be further.
refuse_downgrade() { # running version
  local from=${1#v1.} to=${VERSION#v1.}
  [ -n "$1" ] && [ "$ROLE" = server ] && [ -d "$server_dir/db/etcd" ] || return 0
  [ "${from%%.*}" -le "${to%%.*}" ] ||
    fail "this server runs $1 already, and its data with it · allowed that minor version or a newer one · found $VERSION" \
      "fix: set kubernetes.version to $1 and let that upgrade finish"
}

install_k3s() {
  local current architecture asset pinned folder expected found
  current=$(/usr/local/bin/k3s --version 2>/dev/null | awk 'NR == 1 { print $3 }') || current=""
  [ "$current" != "$VERSION" ] || [ ! -f "/etc/systemd/system/$unit.service" ] || return 0
  refuse_downgrade "$current"
  case $(uname -m) in
    x86_64) architecture=amd64 asset=k3s pinned=$SHA256_AMD64 ;;
    aarch64) architecture=arm64 asset=k3s-arm64 pinned=$SHA256_ARM64 ;;
    *) fail "this host is $(uname -m) · allowed x86_64, aarch64 · fix: take a host of one of these" ;;
  esac
  folder=$(mktemp -d /var/tmp/hybrid-k3s-XXXXXX)
  # shellcheck disable=SC2064 # the folder of now is meant
  trap "rm -rf '$folder'" EXIT
  expected=$(expected_digest "$architecture" "$asset" "$pinned" "$folder")
  fetch_or_fail "$asset" "$folder/k3s"
  found=$(sha256sum "$folder/k3s" | awk '{ print $1 }')
  [ "$found" = "$expected" ] ||
    fail "checksum of $asset $VERSION does not match; nothing was installed" "expected sha256:$expected" "found    sha256:$found" \
      "fix: compare $(address_of "$asset") with the digest in versions.yaml; a mirror may hold another file under that name"
  fetch_or_fail install.sh "$folder/install.sh"
  found=$(sha256sum "$folder/install.sh" | awk '{ print $1 }')
  [ -z "$SHA256_INSTALLER" ] || [ "$found" = "$SHA256_INSTALLER" ] ||
    fail "checksum of the installer of $VERSION does not match; nothing was installed" "expected sha256:$SHA256_INSTALLER" "found    sha256:$found"
  : >"$pending"
  install -D -m 0755 "$folder/k3s" /usr/local/bin/.k3s-new
  mv -f /usr/local/bin/.k3s-new /usr/local/bin/k3s
  # A clean environment: the installer obeys dozens of variables that a login or /etc/environment may have set.
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin INSTALL_K3S_SKIP_DOWNLOAD=true \
    INSTALL_K3S_SKIP_START=true INSTALL_K3S_EXEC="$ROLE" sh "$folder/install.sh" >"$folder/log" 2>&1 ||
    fail "k3s's installer failed: $(tail -n 1 "$folder/log" | cut -c1-200)" "fix: see the line above, then run again"
  changed=yes
}

write_configuration() {
  mkdir -p "$etc/config.yaml.d"
  chmod 0700 "$etc"
  put_file "$etc/config.yaml" 0600 "$CONFIG"
  place_interface
  put_file "$etc/token" 0600 "$TOKEN"
  put_file "$etc/server-ca.crt" 0644 "$SERVER_CA"
  if [ "$ROLE" = server ]; then
    put_file "$etc/agent-token" 0600 "$AGENT_TOKEN"
    # A server that was taken out of etcd must not come back by itself: on its next start k3s would drop its data, find
    # a server to join in 10-start.yaml, and join.
    put_file "/etc/systemd/system/$unit.service.d/10-hybrid-k3s.conf" 0644 "[Service]
ExecCondition=/bin/sh -c \"! test -e $tombstone\"
"
  fi
  put_or_remove "$etc/flannel.json" "${FLANNEL_CONF:-}"
  put_or_remove "$etc/registries.yaml" "$REGISTRIES"
  put_or_remove "$etc/audit-policy.yaml" "$AUDIT_POLICY"
  put_or_remove "$etc/admission.yaml" "$ADMISSION"
  put_or_remove /etc/sysctl.d/90-hybrid-k3s.conf "$SYSCTL"
  if [ -n "$SYSCTL" ]; then
    # A setting that this kernel does not know (-e) is one that it does not need.
    sysctl -q -e -p /etc/sysctl.d/90-hybrid-k3s.conf >/dev/null ||
      fail "this host refuses kernel settings of /etc/sysctl.d/90-hybrid-k3s.conf: those of the hardening guide, and what releases need" \
        "fix: allow them; without kubernetes.hardening.enabled the first are not there"
  fi
  if [ "$ROLE" = server ] && [ -n "$AUDIT_POLICY" ]; then install -d -m 0700 "$server_dir/logs"; fi
}

# Flannel takes the interface of the default route. On a host with an address of its own on the internet that is not the
# way to the other nodes, so it is told the one that has the node's address; nothing is said where the two are the same.
# https://github.com/k3s-io/k3s/blob/v1.36.3%2Bk3s1/pkg/agent/flannel/flannel.go
place_interface() {
  local address device="" default said="" deadline=$((SECONDS + 60))
  command -v ip >/dev/null || return 0
  address=$(sed -n "s/^node-ip: *[\"']\{0,1\}\([0-9.]*\).*/\1/p" "$etc/config.yaml" | head -n 1)
  [ -n "$address" ] || return 0
  # A cloud may attach the private network after the first boot.
  while :; do
    device=$(ip -4 -o address show to "$address/32" 2>/dev/null | awk 'NR == 1 { print $2 }')
    [ -z "$device" ] || break
    [ "$SECONDS" -lt "$deadline" ] ||
      fail "no interface of this host has the address $address of $NODE_NAME" \
        "fix: look at ip address there: is the private network attached, and the address right?"
    sleep 2
  done
  default=$(ip -4 -o route show default 2>/dev/null | awk 'NR == 1 { for (i = 1; i < NF; i++) if ($i == "dev") print $(i + 1) }')
  # What the raw configuration says of it stands.
  if [ "$device" != "$default" ] && ! grep -q '^flannel-iface:' "$etc/config.yaml"; then said="flannel-iface: $device
"; fi
  put_or_remove "$etc/config.yaml.d/05-interface.yaml" "$said"
}

put_or_remove() { # path content
  if [ -n "$2" ]; then
    put_file "$1" 0600 "$2"
  elif [ -e "$1" ]; then
    : >"$pending"
    rm -f "$1"
    changed=yes
  fi
}

# Asks another server whether it is of this cluster: its certificate must come from our CA and it must take our token.
# Prints yes, refused (it is of our CA but takes another token), no (nothing listens there) or unclear: an address that
# stays silent may be a server behind a firewall, and one that serves something else may be a server that is not up yet.
answers() { # address
  local user=node path=config status
  if [ "$ROLE" = server ]; then user=server path=server-bootstrap; fi
  status=$(curl --silent --output /dev/null --write-out '%{http_code}' --connect-timeout 3 --max-time 10 \
    --cacert "$etc/server-ca.crt" --config - "https://$1:6443/v1-k3s/$path" <<<"user = \"$user:${TOKEN##*:}\"") || status=000
  case $status in
    200) echo yes ;;
    401 | 403) echo refused ;;
    000) if nothing_listens "$1"; then echo no; else echo unclear; fi ;;
    *) echo unclear ;;
  esac
}

# curl has one error for a refused connection and for a host without a route; the shell's own message tells them apart.
nothing_listens() { # address
  [[ $(timeout 3 bash -c ": </dev/tcp/$1/6443" 2>&1) == *"Connection refused"* ]]
}

# Finds a server to join within START_SECONDS; prints its address. With `first` it gives up at once when nothing listens
# at any candidate, which is the one proof that there is no server yet; prints `unclear …` when time ran out without it.
find_server() { # first|join
  local deadline=$((SECONDS + START_SECONDS)) candidate unclear
  while :; do
    unclear=""
    for candidate in $CANDIDATES; do
      case $(answers "$candidate") in
        yes)
          printf %s "$candidate"
          return 0
          ;;
        unclear) unclear="$unclear $candidate" ;;
        refused) fail "the server at $candidate has this region's CA but refuses its token · fix: the token in the stack's state is not the cluster's; restore the state that made this cluster" ;;
      esac
    done
    if [ "$1" = first ] && [ -z "$unclear" ]; then return 0; fi
    if [ "$SECONDS" -ge "$deadline" ]; then
      [ -z "$unclear" ] || printf 'unclear%s' "$unclear"
      return 0
    fi
    sleep 2
  done
}

# First start, or join: decided by what is there, never by a position in a list.
choose_start() {
  local found first=join
  # Data of a membership that has ended is nobody's.
  if [ "$ROLE" = server ] && [ -e "$tombstone" ]; then rm -rf "$server_dir/db"; fi
  if [ "$ROLE" = server ] && [ -d "$server_dir/db/etcd/member" ]; then
    echo "starts on its own data"
    return 0
  fi
  if [ "$ROLE" = server ] && [ "$MAY_INITIALISE" = yes ] && [ "$CLUSTER_EXISTS" = no ]; then first=first; fi
  found=$(find_server "$first")
  if [ "$first" = first ] && [ "${found%% *}" = unclear ]; then
    fail "cannot tell whether a server of this region runs already:${found#unclear} neither answers nor refuses on port 6443" \
      "fix: is that host on, and does a firewall drop TCP 6443 between the servers? then run again"
  fi
  if [ -n "$found" ] && [ "${found%% *}" != unclear ]; then
    put_file "$etc/config.yaml.d/10-start.yaml" 0600 "server: https://$found:6443
"
    echo "joins $found"
    return 0
  fi
  if [ "$first" = first ]; then
    put_file "$etc/config.yaml.d/10-start.yaml" 0600 "cluster-init: true
"
    place_authorities
    echo "first start of the cluster"
    return 0
  fi
  fail "no server of this region answers on port 6443 with its CA and token: tried ${CANDIDATES:-no address} for $START_SECONDS s" \
    "$(if [ "$ROLE" = server ] && [ "$CLUSTER_EXISTS" = yes ]; then echo "a second cluster is never started beside one that exists"; fi)" \
    "fix: bring one server back, and let this host reach its TCP port 6443; then run again"
}

# The cluster's authorities come from the stack, so that every node knows them before the first server starts. k3s
# takes what it finds here on its first start, and makes the rest: https://docs.k3s.io/cli/certificate#custom-ca-certificates
place_authorities() {
  install -d -m 0700 "$server_dir/tls"
  put_file "$server_dir/tls/server-ca.crt" 0644 "$SERVER_CA"
  put_file "$server_dir/tls/server-ca.key" 0600 "$SERVER_CA_KEY"
  put_file "$server_dir/tls/client-ca.crt" 0644 "$CLIENT_CA"
  put_file "$server_dir/tls/client-ca.key" 0600 "$CLIENT_CA_KEY"
}

# `cluster-init` counts once. Left in place it would start a second cluster on a server that has lost its data; with
# another server's address there instead, k3s joins that one or stays down. While it has data it reads neither.
forget_first_start() {
  local other
  for other in $CANDIDATES; do
    put_file "$etc/config.yaml.d/10-start.yaml" 0600 "server: https://$other:6443
"
    rm -f "$pending"
    return 0
  done
}

is_up() {
  [ "$(systemctl is-active "$unit")" = active ] || return 1
  [ "$ROLE" = agent ] || [ "$(timeout 10 /usr/local/bin/k3s kubectl get --raw /readyz 2>/dev/null)" = ok ]
}

# Three lines that tell a person why: the unit's state, its last errors, what to try. Tokens are cut out.
report() {
  local lines
  lines=$(journalctl -u "$unit" -n 300 --no-pager -o cat 2>/dev/null | grep -E 'level=(error|fatal)|rror:|failed' | tail -n 2 | cut -c1-300) || lines=""
  lines=${lines//"${TOKEN##*:}"/…}
  [ -z "$AGENT_TOKEN" ] || lines=${lines//"$AGENT_TOKEN"/…}
  fail "$unit.service on $NODE_NAME: $(systemctl show "$unit" -p ActiveState,SubState,Result,NRestarts --value | paste -sd' ')" \
    "${lines:-its journal has no error line}" "$1"
}

start_k3s() {
  if [ "$changed" = no ] && [ ! -e "$pending" ] && is_up; then
    echo "k3s $VERSION runs, nothing changed"
    return 0
  fi
  systemctl daemon-reload
  systemctl enable --quiet "$unit"
  systemctl reset-failed "$unit" 2>/dev/null || true
  systemctl restart --no-block "$unit"
  local deadline=$((SECONDS + START_SECONDS))
  sleep 1
  until is_up; do
    if [ "$(systemctl is-active "$unit")" = failed ]; then report "try: journalctl -u $unit -e on the host; then run again"; fi
    [ "$SECONDS" -lt "$deadline" ] || report "not up after $START_SECONDS s · try: journalctl -u $unit -e on the host; then run again"
    sleep 1
  done
  rm -f "$pending"
  echo "k3s $VERSION runs as $ROLE"
}

case $ACTION in
  install)
    : "${CANDIDATES?}" "${CLUSTER_EXISTS:?}" "${MAY_INITIALISE:?}" "${REGISTRATION:?}"
    if [ "$ROLE" = server ]; then : "${SERVER_CA_KEY:?}" "${CLIENT_CA:?}" "${CLIENT_CA_KEY:?}"; fi
    install_k3s
    write_configuration
    put_file "$etc/config.yaml.d/20-registration.yaml" 0600 "$REGISTRATION"
    choose_start
    start_k3s
    if [ "$(cat "$etc/config.yaml.d/10-start.yaml" 2>/dev/null)" = "cluster-init: true" ]; then forget_first_start; fi
    ;;
  converge)
    if [ "$ROLE" = server ] && { [ ! -d "$server_dir/db/etcd" ] || [ -e "$tombstone" ]; }; then
      fail "$NODE_NAME has no etcd data any more: started like this it would be a cluster of its own" \
        "fix: raise its generation, and it leaves and joins again"
    fi
    install_k3s
    write_configuration
    start_k3s
    ;;
  *) fail "unknown action $ACTION" ;;
esac
