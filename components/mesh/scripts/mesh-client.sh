# shellcheck shell=sh
# Put before the mesh's scripts, and into the user data of clouds: the pinned client, from its vendor's repository or a
# mirror of it. For plain `sh`. A function that returns 1 has said why in $problem.
: "${CLIENT:?}" "${VERSION:=}" "${PACKAGES:=}"
problem=""
# Interfaces that NetBird must not offer as ways to this host: those of pods. It compares beginnings of names.
# shellcheck disable=SC2034 # the scripts read it
INTERFACES=cilium_,lxc,cni0,flannel,veth,kube-

client_version() { "$CLIENT" version 2>/dev/null | sed -n 1p; }

# Runs a package manager, whose files everybody may read. Its last line of error is the reason.
package_manager() {
  if (umask 022 && "$@") >/run/hybrid-k3s-mesh.log 2>&1 </dev/null; then return 0; fi
  problem=$(grep -E '^(E|Err|Error|err):? ' /run/hybrid-k3s-mesh.log | tail -n 1 | cut -c1-200)
  [ -n "$problem" ] || problem=$(tail -n 1 /run/hybrid-k3s-mesh.log | cut -c1-200)
  return 1
}
# A changed file of ours in /etc/default stays as it is, and a fresh image that updates itself is waited for.
apt_get() {
  package_manager env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

fetch_client_file() { # address file
  case $1 in
    file://*)
      cp -- "${1#file://}" "$2" 2>/run/hybrid-k3s-mesh.log && return 0
      ;;
    *)
      if ! command -v curl >/dev/null && command -v apt-get >/dev/null; then
        apt_get update || true
        apt_get --no-install-recommends install curl ca-certificates || return 1
      fi
      curl -fsSL --retry 3 --connect-timeout 15 --max-time 120 -o "$2" "$1" 2>/run/hybrid-k3s-mesh.log && return 0
      ;;
  esac
  problem="could not fetch $1: $(tail -n 1 /run/hybrid-k3s-mesh.log | cut -c1-200)"
  return 1
}

# Files, names and lines are the vendor's own, so that a repository that somebody added by hand is not there twice.
install_by_apt() { # distribution codename
  list=/etc/apt/sources.list.d/$CLIENT.list
  ring=/usr/share/keyrings/$CLIENT-archive-keyring.gpg
  install -d -m 0755 /usr/share/keyrings
  if [ "$CLIENT" = tailscale ]; then
    fetch_client_file "$PACKAGES/$1/$2.noarmor.gpg" "$ring.new" || return 1
    line="deb [signed-by=$ring] $PACKAGES/$1 $2 main"
  else
    fetch_client_file "$PACKAGES/debian/public.key" "$ring.asc" || return 1
    sed -e '1,/^[[:space:]]*$/d' -e '/^=/d' -e '/^-/d' "$ring.asc" | base64 -d >"$ring.new"
    rm -f "$ring.asc"
    line="deb [signed-by=$ring] $PACKAGES/debian stable main"
  fi
  mv -f "$ring.new" "$ring"
  printf '%s\n' "$line" >"$list"
  chmod 0644 "$ring" "$list"
  if ! apt_get -o "Dir::Etc::sourcelist=$list" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0 \
    -o APT::Update::Error-Mode=any update; then
    problem="the repository $PACKAGES does not answer: $problem"
    return 1
  fi
  for try in first second; do
    if apt_get --no-install-recommends --allow-change-held-packages --allow-downgrades install "$CLIENT=$VERSION"; then
      apt-mark hold "$CLIENT" >/dev/null
      return 0
    fi
    # What the client itself needs may stand in lists that this host has never read.
    [ "$try" = second ] || (apt_get update) || true
  done
  problem="$CLIENT $VERSION could not be installed: $problem"
  return 1
}

# A repository that is off holds the client at its version: no update of the host looks into it.
install_by_dnf() {
  if [ "$CLIENT" = tailscale ]; then
    set -- tailscale-stable "$PACKAGES/amazon-linux/2023/\$basearch" "$PACKAGES/amazon-linux/2023/repo.gpg" 0
  else
    set -- netbird "$PACKAGES/yum/" "$PACKAGES/yum/repodata/repomd.xml.key" 1
  fi
  printf '[%s]\nname=%s\nbaseurl=%s\ngpgkey=%s\nenabled=0\nrepo_gpgcheck=1\ngpgcheck=%s\n' \
    "$1" "$CLIENT" "$2" "$3" "$4" >"/etc/yum.repos.d/$CLIENT.repo"
  chmod 0644 "/etc/yum.repos.d/$CLIENT.repo"
  package_manager dnf -y -q --enablerepo="$1" install "$CLIENT-$VERSION" && return 0
  problem="$CLIENT $VERSION could not be installed: $problem"
  return 1
}

# Makes the client the pinned version. Nothing is done where it is that already.
install_client() {
  [ "$(client_version)" != "$VERSION" ] || return 0
  # shellcheck source=/dev/null
  distribution=$(. /etc/os-release && echo "$ID ${VERSION_CODENAME:-$VERSION_ID}")
  case $distribution in
    "debian "* | "ubuntu "*) install_by_apt "${distribution%% *}" "${distribution#* }" || return 1 ;;
    "amzn 2023"*) install_by_dnf || return 1 ;;
    *)
      problem="this host runs $distribution · allowed Debian, Ubuntu, Amazon Linux 2023, or a host with $CLIENT $VERSION on it"
      return 1
      ;;
  esac
  found=$(client_version)
  [ "$found" = "$VERSION" ] && return 0
  problem="$CLIENT is ${found:-not there} after the installation of $VERSION · fix: is there another $CLIENT before /usr/bin in PATH?"
  return 1
}
