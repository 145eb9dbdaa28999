# shellcheck shell=bash
# A Lima VM, worked on by its host's own user: made, changed in place, deleted. Works with bash 3.2 (macOS).
: "${ACTION:?}" "${VM:?}" "${NODE_NAME:?}" "${OWNER:?}" "${LEAST_LIMA:?}"
# A login over SSH does not read the profile that puts Homebrew on the path.
export PATH="$PATH:/opt/homebrew/bin:/usr/local/bin:/usr/sbin:/sbin"
# Where Lima registers a VM with the user's systemd, it also starts and stops it by that systemd, which it must find.
runtime=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
[ ! -d "$runtime" ] || export XDG_RUNTIME_DIR="$runtime"
mark="Made by hybrid-k3s, and changed there: $OWNER"
# What it was made from: tells a VM that was made half-way, and from other settings than today's, from a whole one.
made_from() { printf %s "$VM_YAML" | cksum | cut -d' ' -f1; }

quiet() { # what command...
  local what=$1 said
  shift
  said=$("$@" 2>&1 </dev/null) || fail "$what failed: $(printf %s "$said" | grep -v '^$' | tail -n 1 | cut -c1-300)" \
    "fix: look at it on this host: limactl list; ha.stderr.log in $(limactl list --format '{{.Dir}}' "$VM" 2>/dev/null || echo "$VM's folder")"
}

at_least() { # version least
  local IFS=. a b
  # shellcheck disable=SC2206 # split at the dots
  a=($1) b=($2)
  [ "${a[0]:-0}" -gt "${b[0]:-0}" ] || { [ "${a[0]:-0}" -eq "${b[0]:-0}" ] && [ "${a[1]:-0}" -ge "${b[1]:-0}" ]; }
}

check_host() {
  local version
  command -v limactl >/dev/null || fail "this host has no limactl · fix: install Lima $LEAST_LIMA or newer: brew install lima (macOS), https://lima-vm.io/docs/installation/ (Linux)"
  version=$(limactl --version 2>/dev/null | awk '{ sub(/^v/, "", $3); print $3 }')
  at_least "${version:-0}" "$LEAST_LIMA" ||
    fail "limactl: found ${version:-no version} · allowed $LEAST_LIMA or newer · fix: brew upgrade lima (macOS), https://lima-vm.io/docs/installation/ (Linux)"
  if [ "${NETWORK:-}" = shared ]; then
    [ -x /opt/socket_vmnet/bin/socket_vmnet ] ||
      fail "this host has no /opt/socket_vmnet/bin/socket_vmnet, which joins the VMs into one LAN" \
        "fix: install it as root, not by Homebrew: https://lima-vm.io/docs/config/network/vmnet/ · or, without root: network: user-v2"
    [ -e /etc/sudoers.d/lima ] ||
      fail "Lima may not start socket_vmnet on this host: /etc/sudoers.d/lima is not there" \
        "fix: limactl sudoers >etc_sudoers.d_lima && sudo install -o root etc_sudoers.d_lima /etc/sudoers.d/lima"
  fi
}

# An error is no answer: a VM that only seems gone would be forgotten while it runs on.
exists() {
  local names
  names=$(limactl list --quiet 2>/dev/null) ||
    fail "limactl list failed: $(limactl list --quiet 2>&1 >/dev/null | tail -n 1 | cut -c1-200)" "fix: run as the user whose VMs they are, never as root"
  grep -qx -- "$VM" <<<"$names"
}
status() { limactl list --format '{{.Status}}' "$VM" 2>/dev/null || true; }
config_of() { cat "$(limactl list --format '{{.Dir}}' "$VM")/lima.yaml" 2>/dev/null; }
ours() { config_of | grep -qF -- "$mark"; }
refuse_foreign() {
  fail "a VM named $VM is on this host already, and hybrid-k3s did not make it for this stack: it is never adopted and never deleted" \
    "fix: rename it (limactl rename $VM <other>), or name the machine in the settings otherwise"
}

start() {
  [ "$(status)" = Running ] || quiet "starting $VM" limactl start --tty=false --timeout 15m "$VM"
}

stop() {
  local deadline=$((SECONDS + 180))
  # systemd ends a VM that it started by a signal to QEMU itself, which cuts its power: the guest is asked first.
  if [ "$(status)" = Running ] && [ -e "${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user/lima-vm@$VM.service" ]; then
    limactl shell --tty=false --workdir / "$VM" sudo systemctl poweroff >/dev/null 2>&1 </dev/null || true
    until [ "$(status)" != Running ] || [ "$SECONDS" -ge "$deadline" ]; do sleep 2; done
  fi
  [ "$(status)" != Running ] || quiet "stopping $VM" limactl stop --tty=false "$VM"
}

# At the host's boot on macOS, at the user's login elsewhere: what Lima can do there.
set_autostart() {
  local condition=login
  [ "$(uname -s)" != Darwin ] || condition=boot
  if limactl autostart --help >/dev/null 2>&1; then
    if [ "$AUTOSTART" = yes ]; then set -- autostart enable --condition=$condition; else set -- autostart disable; fi
  else
    set -- start-at-login "--enabled=$([ "$AUTOSTART" = yes ] && echo true || echo false)"
  fi
  limactl --tty=false "$@" "$VM" >/dev/null 2>&1 </dev/null || {
    # Without a systemd of the user Lima fails, leaves its unit behind, and from then on starts the VM by that unit only.
    [ "$(uname -s)" = Darwin ] || rm -f "${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user/lima-vm@$VM.service"
    [ "$AUTOSTART" = no ] || echo "$VM runs, but will not start by itself after the host does · fix: run once on this host: limactl $* $VM" >&2
  }
}

# root in the guest takes the one key of the settings; Lima's own user keeps Lima's own key.
set_login() {
  local key=$AUTHORIZED_KEY deadline=$((SECONDS + 600))
  # To Lima a VM that still boots is `Running` too: after its host's own boot, or after a run that was cut off.
  until limactl shell --tty=false --workdir / "$VM" true >/dev/null 2>&1 </dev/null || [ "$SECONDS" -ge "$deadline" ]; do
    sleep 5
  done
  # At every start Lima is a new machine to the guest's cloud-init, which would make new host keys then:
  # https://github.com/lima-vm/lima/issues/678
  quiet "keeping the host key of $VM" limactl shell --tty=false --workdir / "$VM" sudo sh -c \
    "mkdir -p /etc/cloud/cloud.cfg.d && echo 'ssh_deletekeys: false' >/etc/cloud/cloud.cfg.d/99-hybrid-k3s.cfg"
  quiet "putting the login key into $VM" limactl shell --tty=false --workdir / "$VM" sudo sh -c \
    "mkdir -p /root/.ssh && chmod 700 /root/.ssh && printf '%s\\n' '$key' >/root/.ssh/authorized_keys && chmod 600 /root/.ssh/authorized_keys"
}

# A disk of an earlier generation is kept, and grown where the settings want more.
make_data_disk() {
  [ -n "$DATA_DISK" ] || return 0
  local size
  size=$(size_of_disk)
  if [ -z "$size" ]; then
    quiet "making the disk $DATA_DISK" limactl disk create --tty=false "$DATA_DISK" --size "${DATA_GIB}GiB"
  elif [ "$size" != "${DATA_GIB}GiB" ]; then
    quiet "growing the disk $DATA_DISK from $size" limactl disk resize --tty=false "$DATA_DISK" --size "${DATA_GIB}GiB"
  fi
}

# The size of the data disk, such as 10GiB; empty if there is none.
size_of_disk() {
  local disks
  disks=$(limactl disk list 2>/dev/null) || fail "limactl disk list failed" "fix: run as the user whose VMs they are, never as root"
  awk -v name="$DATA_DISK" '$1 == name { print $2 }' <<<"$disks"
}

create_vm() {
  local file
  check_host
  if exists; then
    ours || refuse_foreign
    # A VM that did not start is not tried again with the old settings after new ones were written.
    if ! config_of | grep -qF -- "from $(made_from)"; then
      limactl stop --tty=false --force "$VM" >/dev/null 2>&1 </dev/null || true
      quiet "deleting the half-made $VM" limactl delete --tty=false --force "$VM"
    fi
  fi
  if ! exists; then
    make_data_disk
    file=$(mktemp "${TMPDIR:-/tmp}/hybrid-k3s-vm.XXXXXX")
    # shellcheck disable=SC2064 # the name is known now
    trap "rm -f '$file' '$file.yaml'" EXIT
    printf 'message: "%s, from %s"\n%s' "$mark" "$(made_from)" "$VM_YAML" >"$file.yaml"
    quiet "making $VM" limactl create --tty=false --name "$VM" "$file.yaml"
  fi
  start
  set_login
  set_autostart
  echo "$VM runs"
}

number_of() { limactl list --format "{{.$1}}" "$VM"; }
GIB=1073741824

converge_vm() {
  local now want
  check_host
  exists || fail "the VM $VM is gone from this host · fix: raise the generation of the machine: it is made anew, and joins as a new node"
  ours || refuse_foreign
  now="$(number_of CPUs) $(($(number_of Memory) / GIB)) $(($(number_of Disk) / GIB))"
  want="$CPUS $MEMORY_GIB $DISK_GIB"
  [ "$DISK_GIB" -ge "${now##* }" ] ||
    fail "the disk of $VM: found ${DISK_GIB}GiB in the settings · allowed ${now##* }GiB, its size now, or more: a disk grows and never shrinks" \
      "fix: write disk: ${now##* }GiB, or raise the generation of the machine to make it anew"
  if [ "$now" != "$want" ]; then
    stop
    quiet "changing $VM" limactl edit --tty=false "$VM" --set ".cpus = $CPUS | .memory = \"${MEMORY_GIB}GiB\" | .disk = \"${DISK_GIB}GiB\""
    echo "$VM: $now → $want (CPUs, GiB of memory, GiB of disk)" >&2
    # A size that this host does not have must not leave the VM off.
    if ! (start); then
      # shellcheck disable=SC2086 # three numbers
      set -- $now
      limactl edit --tty=false "$VM" --set ".cpus = $1 | .memory = \"${2}GiB\"" >/dev/null 2>&1 </dev/null || true
      start
      fail "$VM does not start with $want (CPUs, GiB of memory, GiB of disk); it runs as before: $now" \
        "fix: write a size that this host has, then run again · if you write the old one: kubectl uncordon $NODE_NAME"
    fi
  fi
  start
  set_login
  set_autostart
  echo "$VM runs"
}

delete_vm() {
  if ! command -v limactl >/dev/null; then
    fail "this host has no limactl, so nothing is known of $VM · fix: install Lima again, or delete ~/.lima/$VM by hand; then run again"
  fi
  if exists; then
    if ! ours; then
      echo "$VM is left as it is: hybrid-k3s did not make it for this stack"
      return 0
    fi
    AUTOSTART=no set_autostart
    limactl stop --tty=false "$VM" >/dev/null 2>&1 </dev/null || true
    quiet "deleting $VM" limactl delete --tty=false --force "$VM"
  fi
  if [ -n "$DATA_DISK" ] && [ "$DELETE_DATA" = yes ]; then
    if [ -n "$(size_of_disk)" ]; then
      quiet "deleting the disk $DATA_DISK" limactl disk delete --tty=false "$DATA_DISK"
    fi
  elif [ -n "$DATA_DISK" ]; then
    echo "$VM is gone; its disk $DATA_DISK is kept: limactl disk list" >&2
  fi
  echo "$VM is gone"
}

case $ACTION in
  create)
    : "${VM_YAML:?}" "${AUTOSTART:?}" "${AUTHORIZED_KEY:?}" "${DATA_DISK?}" "${DATA_GIB?}"
    create_vm
    ;;
  converge)
    : "${CPUS:?}" "${MEMORY_GIB:?}" "${DISK_GIB:?}" "${AUTOSTART:?}" "${AUTHORIZED_KEY:?}"
    converge_vm
    ;;
  delete)
    : "${DATA_DISK?}" "${DELETE_DATA:?}"
    delete_vm
    ;;
  *) fail "unknown action $ACTION" ;;
esac
