# shellcheck shell=bash
# What every machine that hybrid-k3s made is held to before anything is installed on it: its login, its updates, its
# clock, its data disk, and that pods do not read the cloud's metadata.
: "${ACTION:?}" "${NODE_NAME:?}" "${REGION:?}" "${GENERATION:?}" "${LOGIN_USER:?}" "${AUTHORIZED_KEY:?}" "${SSHD_CONFIG_PATH:?}"
: "${SSHD_CONFIG:?}" "${BOOTSTRAP_MARKER?}" "${DATA_DISK?}" "${DATA_PATH?}" "${DATA_GIB?}" "${WAIT_SECONDS:?}"
claim=/etc/hybrid-k3s/machine
ours="region=$REGION machine=$NODE_NAME generation=$GENERATION"

# The first boot's own script may still be at work when sshd answers already.
await_bootstrap() {
  [ -n "$BOOTSTRAP_MARKER" ] || return 0
  local deadline=$((SECONDS + WAIT_SECONDS))
  while [ ! -e "$BOOTSTRAP_MARKER" ]; do
    [ "$SECONDS" -lt "$deadline" ] ||
      fail "the first boot's script did not run to its end within $WAIT_SECONDS s: $(tail -n 1 /var/log/hybrid-k3s-bootstrap.log 2>/dev/null || echo it left no log)" \
        "fix: look at /var/log/hybrid-k3s-bootstrap.log and /var/log/cloud-init-output.log on the host, then run again; a higher generation makes the machine anew"
    sleep 2
  done
}

check_claim() {
  local found
  found=$(cat "$claim" 2>/dev/null) || found=""
  case $found in
    "" | "$ours") ;;
    *)
      fail "this is not the machine that $NODE_NAME is: found ${found%% owner=*} · allowed $ours" \
        "fix: find out who answers at this address; a higher generation makes the machine anew"
      ;;
  esac
  put_file "$claim" 0600 "$ours"
}

# The login user's file is ours alone: a key that is not in the settings does not stay. It belongs to its user before it
# takes its place: sshd reads it as that user, and a run that is cut off in between must not close the only way in.
set_login() {
  local home file
  home=$(getent passwd "$LOGIN_USER" | cut -d: -f6) || home=""
  [ -n "$home" ] || fail "this host has no user $LOGIN_USER · fix: the image names another login user; look at docs/sites"
  file=$home/.ssh/authorized_keys
  mkdir -p "$home/.ssh"
  chown "$LOGIN_USER:" "$home/.ssh"
  chmod 700 "$home/.ssh"
  if [ "$(cat "$file" 2>/dev/null; printf x)" != "$AUTHORIZED_KEY"$'\n'x ]; then
    printf '%s\n' "$AUTHORIZED_KEY" >"$file.hybrid-k3s-new"
    chown "$LOGIN_USER:" "$file.hybrid-k3s-new"
    mv -f "$file.hybrid-k3s-new" "$file"
    echo "login: $LOGIN_USER takes one key"
  fi
  chown "$LOGIN_USER:" "$file"
  chmod 600 "$file"
}

set_sshd() {
  local sshd unit problem before pending=/etc/hybrid-k3s/sshd-pending
  mkdir -p /run/sshd "$(dirname "$SSHD_CONFIG_PATH")"
  changed=no
  before=$(cat "$SSHD_CONFIG_PATH" 2>/dev/null) || before=""
  put_file "$SSHD_CONFIG_PATH" 0600 "$SSHD_CONFIG"
  if ! grep -qE '^[[:space:]]*Include[[:space:]]+/etc/ssh/sshd_config\.d/' /etc/ssh/sshd_config; then
    : >"$pending"
    sed -i '1i Include /etc/ssh/sshd_config.d/*.conf' /etc/ssh/sshd_config
  fi
  [ "$changed" = yes ] || [ -e "$pending" ] || return 0
  sshd=$(command -v sshd) || sshd=/usr/sbin/sshd
  if ! problem=$("$sshd" -t 2>&1); then
    if [ -n "$before" ]; then printf '%s\n' "$before" >"$SSHD_CONFIG_PATH"; else rm -f "$SSHD_CONFIG_PATH"; fi
    fail "sshd does not take its rules: $(head -n 1 <<<"$problem" | cut -c1-200)" "fix: the rules were taken back; tell us the distribution and its OpenSSH version"
  fi
  for unit in ssh sshd; do
    if systemctl cat "$unit.service" >/dev/null 2>&1; then
      systemctl reload-or-restart "$unit.service" || fail "$unit.service could not be reloaded" "fix: look at: journalctl -u $unit -n 20"
      rm -f "$pending"
      echo "sshd: logins by key only"
      return 0
    fi
  done
  fail "this host has no ssh.service and no sshd.service" "fix: take an image of docs/sites"
}

# Package managers lock each other out, and a fresh image updates itself at first boot: wait for it.
install_package() {
  local log
  log=$(mktemp /var/tmp/hybrid-k3s-package-XXXXXX)
  if command -v apt-get >/dev/null; then
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y -qq update >"$log" 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y -qq --no-install-recommends install "$1" >>"$log" 2>&1 ||
      fail "$1 could not be installed: $(tail -n 1 "$log" | cut -c1-200)" "fix: look at $log on the host; does it reach its package mirror?"
  else
    dnf -y -q install "$1" >"$log" 2>&1 ||
      fail "$1 could not be installed: $(tail -n 1 "$log" | cut -c1-200)" "fix: look at $log on the host; does it reach its package mirror?"
  fi
  rm -f "$log"
}

# Security updates by themselves; a restart of the host is left to the person, or to a release that drains first.
set_updates() {
  changed=no
  if command -v apt-get >/dev/null; then
    command -v unattended-upgrade >/dev/null || install_package unattended-upgrades
    put_file /etc/apt/apt.conf.d/52-hybrid-k3s 0644 'APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade::Automatic-Reboot "false";
'
  elif command -v dnf >/dev/null; then
    # Amazon Linux pins its repositories to a release: without `latest` there is never anything to update.
    # https://docs.aws.amazon.com/linux/al2023/ug/deterministic-upgrades.html
    put_file /etc/systemd/system/hybrid-k3s-updates.service 0644 '[Unit]
Description=Security updates (hybrid-k3s)
After=network-online.target
[Service]
Type=oneshot
ExecStart=/usr/bin/dnf -y upgrade --security --releasever=latest
'
    put_file /etc/systemd/system/hybrid-k3s-updates.timer 0644 '[Unit]
Description=Security updates every day (hybrid-k3s)
[Timer]
OnCalendar=daily
RandomizedDelaySec=6h
Persistent=true
[Install]
WantedBy=timers.target
'
    systemctl daemon-reload
    systemctl enable --now hybrid-k3s-updates.timer >/dev/null 2>&1 || fail "security updates could not be switched on" "fix: look at: systemctl status hybrid-k3s-updates.timer"
  else
    fail "this host has neither apt nor dnf · fix: take an image of docs/sites"
  fi
  [ "$changed" = no ] || echo "updates: security updates install themselves, without a restart"
}

synchronised() { [ "$(timedatectl show -p NTPSynchronized --value 2>/dev/null)" = yes ]; }

# Certificates and etcd's leases do not work against a wrong clock, and nothing says that the clock is why.
check_time() {
  local unit service="" deadline
  for unit in chronyd chrony systemd-timesyncd ntpsec ntp; do
    if systemctl is-active --quiet "$unit.service"; then
      service=$unit
      break
    fi
  done
  if [ -z "$service" ]; then
    if ! systemctl cat systemd-timesyncd.service >/dev/null 2>&1; then
      if command -v apt-get >/dev/null; then install_package systemd-timesyncd; else install_package chrony; fi
    fi
    for unit in systemd-timesyncd chronyd; do
      if systemctl cat "$unit.service" >/dev/null 2>&1 && systemctl enable --now "$unit.service" >/dev/null 2>&1; then
        service=$unit
        break
      fi
    done
  fi
  deadline=$((SECONDS + 60))
  until synchronised; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "clock: not synchronised within 60 s, by ${service:-no time service} · fix: does a firewall stop NTP (UDP 123)? look at: timedatectl; journalctl -u ${service:-systemd-timesyncd}" >&2
      return 0
    fi
    sleep 2
  done
}

# What a pod sends to the cloud's metadata ends here; what the host itself sends (`iif lo`) does not. Rules of routing,
# not of a firewall: no pod network and no firewall of the host removes them. They stand before the rules of a mesh, which
# begin at 100, and are taken out one by one, so that another's rule of the same number stays.
set_metadata() {
  changed=no
  put_file /etc/systemd/system/hybrid-k3s-metadata.service 0644 '[Unit]
Description=Pods do not reach 169.254.169.254 (hybrid-k3s)
After=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c "ip rule del pref 90 iif lo to 169.254.169.254 lookup main 2>/dev/null; ip rule del pref 91 to 169.254.169.254 prohibit 2>/dev/null; ip rule add pref 90 iif lo to 169.254.169.254 lookup main && ip rule add pref 91 to 169.254.169.254 prohibit"
[Install]
WantedBy=multi-user.target
'
  # systemd-networkd throws rules out that it does not know, whenever it starts.
  put_file /etc/systemd/networkd.conf.d/90-hybrid-k3s.conf 0644 '[Network]
ManageForeignRoutingPolicyRules=no
'
  if [ "$changed" = yes ] || [ -z "$(ip rule show pref 90)" ] || [ -z "$(ip rule show pref 91)" ]; then
    systemctl daemon-reload
    systemctl enable --quiet hybrid-k3s-metadata.service || fail "pods could not be cut off from 169.254.169.254" "fix: look at: journalctl -u hybrid-k3s-metadata"
    systemctl restart hybrid-k3s-metadata.service || fail "pods could not be cut off from 169.254.169.254" "fix: look at: journalctl -u hybrid-k3s-metadata"
    echo "metadata: pods do not reach 169.254.169.254"
  fi
}

# What a disk holds: nothing, a file system, or something else, which includes a disk that blkid has two minds about.
disk_content() { # disk
  local code=0
  blkid -p "$1" >/dev/null 2>&1 || code=$?
  if [ -n "$(blkid -p -s UUID -o value "$1" 2>/dev/null)" ]; then
    echo filesystem
  elif [ "$code" = 2 ] && [ "$(head -c 4194304 "$1" | tr -d '\0' | wc -c)" = 0 ]; then
    echo nothing
  else
    echo other
  fi
}

# An empty disk gets a file system; one with anything on it is mounted as it is, never formatted.
set_disk() {
  [ -n "$DATA_DISK" ] || return 0
  local candidate disk="" uuid
  for candidate in $DATA_DISK; do
    case $candidate in
      # Where no name tells the disk: the one that has no partitions and is large enough to be none of the system's own.
      spare)
        candidate=$(lsblk -bdnro NAME,SIZE,TYPE,RO | awk '$3 == "disk" && $4 == 0 && $2 >= 8 * 1073741824 { print "/dev/" $1 }' | while read -r one; do
          if [ "$(lsblk -nro NAME "$one" | wc -l)" = 1 ]; then echo "$one"; fi
        done | head -n 1)
        ;;
    esac
    if [ -b "$candidate" ]; then
      disk=$(readlink -f "$candidate")
      break
    fi
  done
  [ -n "$disk" ] || fail "the data disk is not there: looked for $DATA_DISK" "fix: look at lsblk on the host; was the disk detached by hand?"
  if ! mountpoint -q "$DATA_PATH" && [ -n "$(ls -A "$DATA_PATH" 2>/dev/null)" ]; then
    fail "$DATA_PATH holds volumes already: a disk that is mounted there would hide them" \
      "fix: raise the generation of $NODE_NAME, which starts empty; or drain the node, move what is there away, and run again"
  fi
  case $(disk_content "$disk") in
    nothing)
      mkfs.ext4 -q -L hybrid-k3s "$disk" || fail "$disk could not be formatted"
      echo "disk: $disk was empty and has a file system now"
      ;;
    other)
      fail "$disk holds something that is no file system" "fix: look at lsblk -f on the host; empty the disk yourself if nothing on it is needed: wipefs -a $disk; dd if=/dev/zero of=$disk bs=1M count=4"
      ;;
  esac
  uuid=$(blkid -p -s UUID -o value "$disk") || uuid=""
  mkdir -p "$DATA_PATH"
  if ! grep -q "^UUID=$uuid $DATA_PATH " /etc/fstab 2>/dev/null; then
    # The line of a disk before this one would be mounted in its place.
    [ ! -f /etc/fstab ] || sed -i "\\|^UUID=[^ ]* $DATA_PATH |d" /etc/fstab
    printf 'UUID=%s %s auto defaults,nofail,x-systemd.device-timeout=300s,x-systemd.before=k3s.service,x-systemd.before=k3s-agent.service 0 2\n' "$uuid" "$DATA_PATH" >>/etc/fstab
    systemctl daemon-reload
  fi
  mountpoint -q "$DATA_PATH" || mount "$DATA_PATH" || fail "$disk could not be mounted at $DATA_PATH" "fix: look at: dmesg | tail"
  resize2fs "$disk" >/dev/null 2>&1 || true
}

# shellcheck disable=SC2034 # put_file sets it
changed=no
case $ACTION in
  prepare)
    await_bootstrap
    check_claim
    set_login
    set_sshd
    set_updates
    check_time
    set_metadata
    set_disk
    echo "ready: region=$REGION machine=$NODE_NAME"
    ;;
  *) fail "unknown action $ACTION" ;;
esac
