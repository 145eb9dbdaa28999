# shellcheck shell=bash
# Applies a release's CRDs from any server: on their own, so that they can be upgraded (Helm never does) and stay when
# the release goes, and with them every object of their kinds.
: "${ACTION:?}" "${NAME:?}" "${VERSION:?}" "${URL:?}" "${SHA256?}" "${SERVER_CA:?}"
[ "$ACTION" = apply ] || fail "unknown action $ACTION"
[ "$(cat /etc/rancher/k3s/server-ca.crt 2>/dev/null; printf x)" = "${SERVER_CA}x" ] || elsewhere "this host is no server of this cluster"
[ "$(timeout 30 /usr/local/bin/k3s kubectl get --raw /readyz 2>/dev/null)" = ok ] || elsewhere "the API of this server does not answer"
folder=$(mktemp -d /var/tmp/hybrid-k3s-XXXXXX)
trap 'rm -rf "$folder"' EXIT
case $URL in
  file://*) cp -- "${URL#file://}" "$folder/crds.yaml" || fail "could not read $URL on this server" ;;
  *) curl --fail --silent --show-error --location --retry 3 --connect-timeout 15 --max-time 120 --output "$folder/crds.yaml" "$URL" 2>"$folder/error" ||
    fail "could not fetch the CRDs of $NAME $VERSION: $(tail -n 1 "$folder/error" | cut -c1-200)" "fix: let the servers reach $URL" ;;
esac
found=$(sha256sum "$folder/crds.yaml" | awk '{ print $1 }')
[ -z "$SHA256" ] || [ "$found" = "$SHA256" ] ||
  fail "checksum of the CRDs of $NAME $VERSION does not match; nothing was applied" "expected sha256:$SHA256" "found    sha256:$found"
timeout 120 /usr/local/bin/k3s kubectl apply --server-side --force-conflicts --field-manager=hybrid-k3s -f "$folder/crds.yaml" >"$folder/out" 2>&1 ||
  fail "the API refused the CRDs of $NAME $VERSION: $(tail -n 1 "$folder/out" | cut -c1-300)"
echo "CRDs of $NAME $VERSION applied: $(grep -c . "$folder/out")"
