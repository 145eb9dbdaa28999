# shellcheck shell=bash
# The host's firewall: one nftables table of our own. A change is taken back by the host itself unless it is confirmed over
# a connection that was made after it, so that no mistake locks anybody out; only what is confirmed survives a restart.
: "${ACTION:?}" "${NODE_NAME:?}" "${RULES:?}" "${ROLLBACK_SECONDS:?}"
table="inet hybrid_k3s"
confirmed=/etc/hybrid-k3s/firewall.nft
confirmed_digest=/etc/hybrid-k3s/firewall.digest
report=/etc/hybrid-k3s/firewall-rolled-back
unit=hybrid-k3s-firewall.service
rollback=hybrid-k3s-firewall-rollback
run=/run/hybrid-k3s-firewall
# In one transaction the table is there, is gone, and is there again with these rules: no packet meets anything between.
wanted="# What this host lets in (hybrid-k3s). pulumi up writes it: changes by hand do not stay.
table $table
delete table $table
$RULES"

# Package managers lock each other out, and a fresh image updates itself at first boot: wait for it.
need_nft() {
  local log
  if command -v nft >/dev/null; then return 0; fi
  log=$(mktemp /var/tmp/hybrid-k3s-package-XXXXXX)
  if command -v apt-get >/dev/null; then
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y -qq update >"$log" 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y -qq --no-install-recommends install nftables >>"$log" 2>&1 || true
  elif command -v dnf >/dev/null; then
    dnf -y -q install nftables >"$log" 2>&1 || true
  fi
  hash -r
  command -v nft >/dev/null ||
    fail "nftables could not be installed: $(tail -n 1 "$log" | cut -c1-200)" "fix: look at $log on the host; does it reach its package mirror? or install nftables there yourself"
  rm -f "$log"
  echo "nftables: installed"
}

# The roll-back and this script take turns.
take_turn() {
  mkdir -p "$run" "$(dirname "$confirmed")"
  exec 9>"$run/lock"
  flock -w 30 9 || fail "the roll-back of the firewall is at work on this host for over 30 s" "fix: look at: systemctl status $rollback.service"
}

digest_of() { sha256sum | cut -d' ' -f1; }
# What the kernel holds, without counters. Nothing where there is no such table.
active_digest() {
  # shellcheck disable=SC2086 # two words
  { nft -s list table $table 2>/dev/null || true; } | digest_of
}
holds() { [ -f "$1" ] && [ "$(cat "$1"; printf x)" = "$2"x ]; }

# Whether the confirmed rules are these, are what the kernel holds, and come back after a restart.
stands() {
  holds "$confirmed" "$wanted" && holds "$confirmed_digest" "$(active_digest)" &&
    systemctl is-enabled --quiet "$unit" 2>/dev/null
}

disarm() {
  systemctl stop "$rollback.timer" "$rollback.service" 2>/dev/null || true
  systemctl reset-failed "$rollback.timer" "$rollback.service" 2>/dev/null || true
}

# What stood before is what a restart would bring back: what is confirmed, or what the first boot of a cloud's machine
# wrote in its place, which lets the mesh in. So no roll-back opens a machine that was never open. Where there is neither:
# no table at all, and none as well where these rules cannot be loaded, for a host that lets nobody in cannot be repaired.
rollback_program() {
  cat <<TEXT
#!/bin/sh
# Takes the change of the firewall back that was not confirmed.
nothing() { $(command -v nft) 'table $table; delete table $table'; }
exec 9>$run/lock
flock -w 20 9 || true
[ -e $run/pending.nft ] || exit 0
if [ -e $confirmed ]; then $(command -v nft) -f $confirmed || nothing; else nothing; fi
date -u '+%Y-%m-%d %H:%M:%S UTC' >$report
rm -f $run/pending.nft
TEXT
}

# A change before this one that is still waiting ends here: its own minute must not fall into ours. Its timer goes last, so
# that a run that is cut off in between leaves it to do the work.
end_earlier() {
  if [ -e "$run/pending.nft" ]; then
    if [ -e "$confirmed" ]; then nft -f "$confirmed"; else nft "table $table; delete table $table"; fi
    rm -f "$run/pending.nft"
    echo "a change of the firewall that was waiting to be confirmed is taken back first" >&2
  fi
  disarm
}

say_rolled_back() {
  [ -e "$report" ] || return 0
  echo "the change of the firewall before this one was rolled back at $(cat "$report"): it was not confirmed over a new connection within its $ROLLBACK_SECONDS s" >&2
  rm -f "$report"
}

apply() {
  local problem
  need_nft
  take_turn
  end_earlier
  say_rolled_back
  if stands; then
    echo "firewall: unchanged"
    return 0
  fi
  printf %s "$wanted" >"$run/checked.nft"
  problem=$(nft -c -f "$run/checked.nft" 2>&1) ||
    fail "nftables does not take the rules: $(head -n 1 <<<"$problem" | cut -c1-200)" "fix: nftables 1.0 or later and its kernel modules are needed; look at: nft --version; nft -c -f $run/checked.nft · the firewall is as it was"
  rollback_program >"$run/rollback.sh"
  mv -f "$run/checked.nft" "$run/pending.nft"
  # In a unit of its own it outlives this connection, which the rules may end.
  if ! problem=$(systemd-run --quiet --collect --unit="$rollback" --description="Takes an unconfirmed change of the firewall back (hybrid-k3s)" \
    --on-active="${ROLLBACK_SECONDS}s" --timer-property=AccuracySec=100ms /bin/sh "$run/rollback.sh" 2>&1); then
    rm -f "$run/pending.nft"
    fail "the roll-back could not be armed: $(head -n 1 <<<"$problem" | cut -c1-200)" "fix: look at: systemctl status $rollback.timer · the firewall is as it was"
  fi
  if ! problem=$(nft -f "$run/pending.nft" 2>&1); then
    rm -f "$run/pending.nft"
    disarm
    fail "nftables did not take the rules: $(head -n 1 <<<"$problem" | cut -c1-200)" "the firewall is as it was"
  fi
  printf %s "$(active_digest)" >"$run/pending.digest"
  echo "firewall: changed, and taken back in $ROLLBACK_SECONDS s unless it is confirmed over a new connection"
}

# Loads the rules before any interface is up and before k3s. Debian's own nftables.service empties all tables when it starts
# and when it is told to: ours comes after it, and again with it.
unit_text() {
  cat <<TEXT
[Unit]
Description=Host firewall (hybrid-k3s)
Documentation=man:nft(8)
DefaultDependencies=no
ConditionPathExists=$confirmed
Wants=network-pre.target
After=local-fs.target systemd-modules-load.service nftables.service
Before=network-pre.target k3s.service k3s-agent.service shutdown.target
Conflicts=shutdown.target
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=$(command -v nft) -f $confirmed
ExecReload=$(command -v nft) -f $confirmed

[Install]
WantedBy=sysinit.target
TEXT
}

# In this order: a run that is cut off in between leaves a roll-back to the very rules that are active.
persist() {
  put_file "$confirmed" 0600 "$wanted"
  put_file "$confirmed_digest" 0600 "$(active_digest)"
  sync "$confirmed" "$confirmed_digest"
  put_file "/etc/systemd/system/$unit" 0644 "$(unit_text)
"
  systemctl daemon-reload
  systemctl enable --quiet "$unit" || fail "$unit could not be enabled: a restart would lose the rules" "fix: look at: systemctl status $unit"
  rm -f "$run/pending.nft" "$run/pending.digest" "$report"
  disarm
  # Loads the same rules once more, and stands from now on where nftables.service is started again.
  systemctl restart "$unit" || fail "$unit could not be started" "fix: look at: journalctl -u $unit -n 20"
}

confirm() {
  local back="fix: run again; look at: nft list table $table"
  take_turn
  if [ ! -e "$run/pending.nft" ]; then
    if stands; then
      echo "firewall: the confirmed rules are active"
      return 0
    fi
    [ ! -e "$report" ] || fail "the change of the firewall was rolled back at $(cat "$report"): this confirmation came too late" "$back"
    fail "the rules that are active are not the confirmed ones" "$back"
  fi
  holds "$run/pending.nft" "$wanted" || fail "what waits to be confirmed is another change of the firewall" "$back"
  holds "$run/pending.digest" "$(active_digest)" ||
    fail "the rules that are active are not the ones that were applied: somebody changed them since" "$back"
  persist
  stands || fail "the rules that are active are not the confirmed ones" "$back"
  echo "firewall: confirmed"
}

remove() {
  take_turn
  disarm
  systemctl disable --quiet "$unit" 2>/dev/null || true
  systemctl stop "$unit" 2>/dev/null || true
  rm -f "/etc/systemd/system/$unit" "$confirmed" "$confirmed_digest" "$report"
  systemctl daemon-reload
  # shellcheck disable=SC2086 # two words
  if command -v nft >/dev/null && nft list table $table >/dev/null 2>&1; then nft delete table $table; fi
  rm -rf "$run"
  echo "firewall: removed"
}

# shellcheck disable=SC2034 # put_file sets it
changed=no
case $ACTION in
  apply) apply ;;
  confirm) confirm ;;
  remove) remove ;;
  *) fail "unknown action $ACTION" ;;
esac
