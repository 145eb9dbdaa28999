# shellcheck shell=bash
# Put before every script of the project: strict mode, and the few words that all scripts share.
set -euo pipefail
umask 077
export LC_ALL=C

# Says why, and ends the script. Each argument is a line.
fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# Says that this host cannot do the work but another of its kind may: over-ssh.sh goes on to the next one.
elsewhere() {
  printf '%s\n' "$@" >&2
  exit 69
}

# Writes $3 to the file $1 with mode $2, only if that changes anything. Sets `changed=yes` if it did, and leaves the file
# $pending first, where a script names one: what an interrupted run has changed is not forgotten by the next.
# shellcheck disable=SC2034 # `changed` is read by the scripts
put_file() {
  local path=$1 mode=$2 content=$3
  if [ -f "$path" ] && [ "$(cat "$path"; printf x)" = "${content}x" ]; then
    chmod "$mode" "$path"
    return 0
  fi
  mkdir -p "$(dirname "$path")"
  [ -z "${pending:-}" ] || : >"$pending"
  printf %s "$content" >"$path.hybrid-k3s-new"
  chmod "$mode" "$path.hybrid-k3s-new"
  mv -f "$path.hybrid-k3s-new" "$path"
  changed=yes
}
