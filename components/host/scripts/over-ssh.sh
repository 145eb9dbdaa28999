# shellcheck shell=bash
# Runs on the computer that runs Pulumi: reaches the first of TARGETS over SSH and runs REMOTE_PROGRAM there as root.
# A target line: name user@host:port key-type key [jump-user@jump-host:port key-type key]. Works with bash 3.2 (macOS).
: "${TARGETS?}" "${CONNECT_SECONDS:?}" "${UNREACHABLE:?}" "${LOCK_SECONDS:?}" "${LOCK:?}" "${LIMIT_SECONDS:?}" "${SCRIPT:?}"
: "${ACTION:?}" "${FORWARD:?}" "${SSH_PRIVATE_KEY:?}" "${REMOTE_PROGRAM:?}"

for tool in ssh ssh-keygen base64; do
  command -v "$tool" >/dev/null || fail "this computer has no $tool · fix: install OpenSSH's client tools, then run again"
done
# A killed run cannot clean up after itself: what an earlier one left, keys among it, goes after a day.
find "${TMPDIR:-/tmp}" -maxdepth 1 -type d -name 'hybrid-k3s-ssh.*' -user "$(id -u)" -mmin +1440 -exec rm -rf {} + 2>/dev/null || true
work=$(mktemp -d "${TMPDIR:-/tmp}/hybrid-k3s-ssh.XXXXXX")
trap 'rm -rf "$work"' EXIT
printf '%s\n' "$SSH_PRIVATE_KEY" >"$work/key"
printf '%s\n' "$REMOTE_PROGRAM" >"$work/program"
identities=(-i "$work/key")
# The key before this one: for a host that does not know the new one yet.
if [ -n "${PREVIOUS_SSH_PRIVATE_KEY:-}" ]; then
  printf '%s\n' "$PREVIOUS_SSH_PRIVATE_KEY" >"$work/previous"
  identities+=(-i "$work/previous")
fi
ssh-keygen -y -P '' -f "$work/key" >/dev/null 2>&1 ||
  fail "hybrid-k3s:sshPrivateKey is not a private key without a passphrase" \
    "fix: pulumi config set --secret hybrid-k3s:sshPrivateKey < ~/.ssh/id_ed25519"

# The command for the host: the same text that a direct connection gets, with the forwarded values quoted for its shell.
remote_command() {
  local name quoted assignments=""
  for name in $FORWARD; do
    quoted=$(printf '%sx' "${!name}" | sed "s/'/'\\\\''/g")
    assignments="$assignments $name='${quoted%x}'"
  done
  if [ "${AS_USER:-no}" = yes ]; then
    printf 'exec env %s /bin/bash -s\n' "$assignments"
    return 0
  fi
  cat <<TEXT
as_root() { if [ "\$(id -u)" = 0 ]; then "\$@"; else sudo -n "\$@"; fi; }
as_root env $assignments flock -w $LOCK_SECONDS -E 75 /var/lock/$LOCK.lock timeout -k 10 $LIMIT_SECONDS bash -s
code=\$?
case \$code in
  75) echo "another run holds /var/lock/$LOCK.lock on this host for over $LOCK_SECONDS s; wait for it to end, then run again" >&2 ;;
  127) echo "the host lacks flock, timeout or bash · fix: install util-linux, coreutils and bash there" >&2 ;;
  124 | 137) echo "the script was ended after its $LIMIT_SECONDS s; look at: journalctl -u k3s -u k3s-agent -n 50" >&2 ;;
esac
exit \$code
TEXT
}

# Splits user@host:port; an IPv6 host may stand in brackets.
user_of() { printf %s "${1%%@*}"; }
port_of() { printf %s "${1##*:}"; }
host_of() {
  local host=${1#*@}
  host=${host%:*}
  host=${host#[}
  printf %s "${host%]}"
}

fingerprint() { ssh-keygen -lf /dev/stdin <<<"$1 $2" 2>/dev/null | awk '{print $2}'; }

# Options that every connection has: this key, the one pinned host key, nothing from the user's own configuration.
connection_options() { # endpoint key-type key alias
  local known="$work/known-$4"
  printf '%s %s %s\n' "$4" "$2" "$3" >"$known"
  options=(-F /dev/null "${identities[@]}" -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes
    -o StrictHostKeyChecking=yes -o "UserKnownHostsFile=$known" -o GlobalKnownHostsFile=/dev/null
    -o "HostKeyAlias=$4" -o "HostKeyAlgorithms=$(algorithms "$2")" -o ConnectTimeout=10 -o LogLevel=INFO
    -o ServerAliveInterval=15 -o ServerAliveCountMax=4 -p "$(port_of "$1")" -l "$(user_of "$1")")
}
algorithms() { if [ "$1" = ssh-rsa ]; then printf 'rsa-sha2-512,rsa-sha2-256'; else printf %s "$1"; fi; }

# Tries one target. The answer is in $phase: OK, TCP, HOSTKEY, LOGIN, DROPPED, ELSEWHERE or SCRIPT; $code and $word say more.
attempt() {
  local name=$1 endpoint=$2 type=$3 key=$4 jump=${5:-} jump_type=${6:-} jump_key=${7:-}
  local options=() proxy=() quoted=""
  if [ -n "$jump" ]; then
    connection_options "$jump" "$jump_type" "$jump_key" jump
    quoted=$(printf '%q ' ssh "${options[@]}" -W "[%h]:%p" "$(host_of "$jump")")
    proxy=(-o "ProxyCommand=$(printf %s "$quoted" | sed 's/\\%/%/g')")
  fi
  connection_options "$endpoint" "$type" "$key" target
  code=0
  # shellcheck disable=SC2029 # the command is meant to be expanded here: it is complete and quoted for the host
  ssh "${options[@]}" ${proxy[@]+"${proxy[@]}"} "$(host_of "$endpoint")" "$command" \
    <"$work/program" >"$work/out" 2>"$work/err" || code=$?
  if [ "$code" != 255 ]; then
    phase=SCRIPT
    [ "$code" != 0 ] || phase=OK
    if [ "$code" = 69 ]; then
      phase=ELSEWHERE
      word=$(tail -n 1 "$work/err" | cut -c1-200)
    fi
    return 0
  fi
  word=$(grep -vE '^(\*\*|Warning:|@|$)' "$work/err" | tail -n 1 | tr -d '\r' | cut -c1-200) || word=""
  if grep -qE 'REMOTE HOST IDENTIFICATION|Host key verification failed|no matching host key type' "$work/err"; then
    phase=HOSTKEY
    found=$(grep -oE 'SHA256:[A-Za-z0-9+/=]+' "$work/err" | head -n 1) || found=""
    [ -n "$found" ] || found=$(grep -oE 'Their offer: .*' "$work/err" | head -n 1) || found=""
    expected=$(fingerprint "$type" "$key")
    if [ -n "$jump" ] && grep -q "known-jump" "$work/err"; then expected=$(fingerprint "$jump_type" "$jump_key"); fi
  elif grep -qE 'Permission denied|Too many authentication failures' "$work/err"; then
    phase=LOGIN
  elif grep -qE 'Connection to .* closed|Timeout, server|Broken pipe|client_loop' "$work/err"; then
    phase=DROPPED
  else
    phase=TCP
  fi
}

# One line that names the phase a connection ended in, and what to do.
explain() { # name endpoint
  local at
  at="$1 ($(host_of "$2") port $(port_of "$2"))"
  case $phase in
    TCP) echo "TCP: $at did not answer within $CONNECT_SECONDS s: ${word:-no answer} · fix: is it on, is the address right, does a firewall stand between?" ;;
    HOSTKEY) echo "SSH: the host key of $at is not the pinned one · expected ${expected:-?} · found ${found:-unknown} · fix: if the host was reinstalled, set its new hostKey and raise its generation; if not, find out who answers there" ;;
    LOGIN) echo "SSH: $at refused the login as $(user_of "$2") · fix: add the public half of hybrid-k3s:sshPrivateKey to that user's authorized_keys" ;;
    ELSEWHERE) echo "API: $at is reached, but ${word:-it cannot do this} · fix: look at k3s there: systemctl status k3s; journalctl -u k3s -e" ;;
    DROPPED) echo "SSH: the connection to $at broke while the script ran: ${word:-} · fix: run again; every script takes up where it stopped" ;;
  esac
}

# What the script printed: enough for a person, and no line that hangs the plugin.
show_output() {
  cut -c1-400 "$work/out" | tail -n 20
  cut -c1-400 "$work/err" | tail -n 20 >&2
}

# A change that may shut this computer out is confirmed over a second connection: what is not confirmed, the host takes back.
confirm_change() { # the words of the target line
  local at applied=$ACTION last_try=$((SECONDS + 30))
  at="$1 ($(host_of "$2") port $(port_of "$2"))"
  ACTION=$CONFIRM_ACTION
  command=$(remote_command)
  while :; do
    phase="" word="" code=0
    attempt "$@"
    case $phase in
      OK)
        show_output
        return 0
        ;;
      SCRIPT | ELSEWHERE)
        show_output
        word="it ended with $code"
        break
        ;;
    esac
    [ "$SECONDS" -lt "$last_try" ] || break
    sleep 2
  done
  printf '%s\n' "confirm: $SCRIPT $CONFIRM_ACTION was not done on $at over a new connection: ${word:-no answer}" \
    "the host itself rolls back within a minute what $SCRIPT $applied changed, and can be reached as before" \
    "check: does the change let this computer in, at the address that the host sees (access.from, the jump host, the mesh)? then run again" >&2
  exit 76
}

command=$(remote_command)
deadline=$((SECONDS + CONNECT_SECONDS))
next_word=$((SECONDS + 20))
while :; do
  lines=() retry=no refused=no
  while read -r name endpoint type key jump jump_type jump_key; do
    [ -n "$name" ] || continue
    phase="" word="" found="" expected="" code=0
    attempt "$name" "$endpoint" "$type" "$key" "$jump" "$jump_type" "$jump_key"
    case $phase in
      OK)
        show_output
        [ -z "${CONFIRM_ACTION:-}" ] || confirm_change "$name" "$endpoint" "$type" "$key" "$jump" "$jump_type" "$jump_key"
        exit 0
        ;;
      SCRIPT)
        show_output
        fail "script: $SCRIPT $ACTION ended with $code on $name ($(host_of "$endpoint"))"
        ;;
      DROPPED) fail "$(explain "$name" "$endpoint")" ;;
      TCP | ELSEWHERE) retry=yes ;;
      # A machine at its first boot answers before it has its host key and its login: nothing is sent to it until then.
      HOSTKEY) [ "${BOOTING:-no}" = no ] || retry=yes ;;
      LOGIN)
        refused=yes
        [ "${BOOTING:-no}" = no ] || retry=yes
        ;;
    esac
    lines+=("$(explain "$name" "$endpoint")")
  done <<<"$TARGETS"
  if [ "$retry" = no ] || [ "$SECONDS" -ge "$deadline" ]; then break; fi
  if [ "$SECONDS" -ge "$next_word" ]; then
    echo "waiting for SSH, $((CONNECT_SECONDS - deadline + SECONDS)) of $CONNECT_SECONDS s: ${word:-no answer}" >&2
    next_word=$((SECONDS + 20))
  fi
  sleep 2
done
# A host that answers and refuses the login is not dead: it is not left behind in silence.
if [ "$UNREACHABLE" = leave ] && [ "$refused" = no ]; then
  echo "left as it is: ${lines[*]:-no host named} · k3s and its data are still on it: when it is back, run /usr/local/bin/k3s-uninstall.sh or k3s-agent-uninstall.sh there, and rm -r /etc/hybrid-k3s" >&2
  exit 0
fi
fail ${lines[@]+"${lines[@]}"} "nothing was changed by $SCRIPT $ACTION"
