# shellcheck shell=bash
# Applies a release's CRDs from any server: on their own, so that they can be upgraded (Helm never does) and stay when
# the release goes, and with them every object of their kinds.
: "${ACTION:?}" "${NAME:?}" "${VERSION:?}" "${FILES:?}" "${SERVER_CA:?}"
[ "$ACTION" = apply ] || fail "unknown action $ACTION"
[ "$(cat /etc/rancher/k3s/server-ca.crt 2>/dev/null; printf x)" = "${SERVER_CA}x" ] || elsewhere "this host is no server of this cluster"
[ "$(timeout 30 /usr/local/bin/k3s kubectl get --raw /readyz 2>/dev/null)" = ok ] || elsewhere "the API of this server does not answer"
folder=$(mktemp -d /var/tmp/hybrid-k3s-XXXXXX)
trap 'rm -rf "$folder"' EXIT
# All files are fetched and checked before the first is applied: half of a release's CRDs is worse than the old ones.
count=0
while read -r digest address; do
  [ -n "$address" ] || continue
  count=$((count + 1)) file=$folder/$count.yaml
  case $address in
    file://*) cp -- "${address#file://}" "$file" || fail "could not read $address on this server" ;;
    *) curl --fail --silent --show-error --location --retry 3 --connect-timeout 15 --max-time 120 --output "$file" "$address" 2>"$folder/error" ||
      fail "could not fetch the CRDs of $NAME $VERSION: $(tail -n 1 "$folder/error" | cut -c1-200)" "fix: let the servers reach $address" ;;
  esac
  found=$(sha256sum "$file" | awk '{ print $1 }')
  [ "$digest" = - ] || [ "$found" = "$digest" ] ||
    fail "checksum of the CRDs of $NAME $VERSION does not match; nothing was applied" "file     $address" "expected sha256:$digest" "found    sha256:$found"
done <<<"$FILES"
[ "$count" -gt 0 ] || fail "no file of CRDs is named for $NAME $VERSION"
set --
for number in $(seq 1 "$count"); do set -- "$@" -f "$folder/$number.yaml"; done
timeout 120 /usr/local/bin/k3s kubectl apply --server-side --force-conflicts --field-manager=hybrid-k3s "$@" >"$folder/out" 2>&1 ||
  fail "the API refused the CRDs of $NAME $VERSION: $(tail -n 1 "$folder/out" | cut -c1-300)"
echo "CRDs of $NAME $VERSION applied: $(grep -c . "$folder/out")"
