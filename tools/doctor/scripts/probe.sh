# shellcheck shell=bash
# Runs on a host and changes nothing there. Prints one fact a line: a word that says which, then the fact. JSON keeps to
# one line. The last line is `done`, so that an answer that was cut off is not taken for a whole one.
set -u
export LC_ALL=C
: "${ACTION:?}" "${MESH:?}"

on_one_line() { tr -d '\n\r'; }

# The clock is read when this computer says so, and at once: it knows how long its word and the answer were on the way.
clock() {
  echo ready
  if read -r -t 20 _; then echo "clock $(date +%s.%N)"; fi
  exec </dev/null
  local kept
  kept=$(timeout 5 timedatectl show -p NTPSynchronized --value 2>/dev/null) || kept=""
  echo "synchronised ${kept:-unknown}"
}

unit() {
  local state
  if [ "$(systemctl show -p LoadState --value "$1" 2>/dev/null)" = not-found ]; then
    state=not-found
  else
    state=$(systemctl is-active "$1" 2>/dev/null) || true
  fi
  echo "unit $1 ${state:-unknown}"
}

status() {
  case $MESH in
    tailscale) echo "status $(timeout 15 tailscale status --json 2>/dev/null | on_one_line)" ;;
    netbird) echo "status $(timeout 20 netbird status --json 2>/dev/null | on_one_line)" ;;
  esac
}

look() {
  : "${UNITS?}" "${INTERFACES?}"
  local name mtu
  clock
  for name in ping ip timeout; do command -v "$name" >/dev/null || echo "missing $name"; done
  for name in $UNITS; do unit "$name"; done
  for name in $INTERFACES; do
    mtu=$(ip -o link show dev "$name" 2>/dev/null | sed -n 's/.* mtu \([0-9]*\) .*/\1/p')
    [ -z "$mtu" ] || echo "mtu $name $mtu"
  done
  [ "$MESH" != none ] || return 0
  echo "rules $(ip -j -4 rule show 2>/dev/null | on_one_line)"
  # A table that nobody has written to yet is an error: no line is no route.
  [ "$MESH" != tailscale ] || echo "routes $(ip -j -4 route show table 52 2>/dev/null | on_one_line)"
  status
}

# The best of a few pings. The first ones may wake a tunnel up.
latency() { # address
  ping -n -q -c 6 -i 0.25 -W 2 "$1" 2>/dev/null | sed -n 's|.* = \([0-9.]*\)/.*|\1|p'
}

# Whether a packet that must not be cut up passes, and what a host on the way says of its size. The first may teach the
# sender, so the second counts.
large() { # name address bytes
  local said limit
  if said=$(ping -n -M 'do' -c 3 -i 0.3 -W 2 -s $(($3 - 28)) "$2" 2>&1); then
    echo "large $1 $3 passes"
    return 0
  fi
  limit=$(printf '%s\n' "$said" | sed -n 's/.*mtu \{0,1\}[=:] \{0,1\}\([0-9]*\).*/\1/p' | tail -n 1)
  echo "large $1 $3 lost ${limit:-0}"
}

# The last answer counts: packets go by a relay until a direct path is found.
path() { # name address in the mesh
  local via
  via=$(timeout 25 tailscale ping --c 6 --timeout 2s --until-direct "$2" 2>/dev/null | sed -n 's/^pong from .* via \([^ ]*\) in .*/\1/p' | tail -n 1)
  echo "path $1 ${via:-none}"
}

way() { # name address address-in-the-mesh bytes, each or -
  local device best
  device=$(ip -4 route get "$2" 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
  echo "device $1 ${device:--}"
  if [ "$4" != - ]; then
    best=$(latency "$2")
    echo "latency $1 ${best:-none}"
    [ -z "$best" ] || large "$1" "$2" "$4"
  fi
  [ "$MESH" != tailscale ] || [ "$3" = - ] || path "$1" "$3"
}

reach() {
  : "${TARGETS?}"
  local name address in_mesh bytes running=0
  exec </dev/null
  while read -r name address in_mesh bytes; do
    [ -n "$name" ] || continue
    way "$name" "$address" "$in_mesh" "$bytes" &
    running=$((running + 1))
    # A few at a time: a small host has other work.
    if [ $((running % 8)) = 0 ]; then wait; fi
  done <<<"$TARGETS"
  wait
  [ "$MESH" != netbird ] || status
}

case $ACTION in
  look) look ;;
  reach) reach ;;
esac
echo "done"
