# shellcheck shell=bash
# Gives Cilium the addresses that it may give to Services, or takes them away again, from any server whose API answers.
: "${ACTION:?}" "${OBJECTS:?}" "${WAIT_SECONDS:?}" "${SERVER_CA:?}"
kubectl() { timeout 60 /usr/local/bin/k3s kubectl --request-timeout=30s "$@"; }

# Cilium's operator makes the kinds, once it runs.
apply() {
  local deadline=$((SECONDS + WAIT_SECONDS)) next=$((SECONDS + 15)) said
  until said=$(kubectl apply --server-side --force-conflicts --field-manager=hybrid-k3s -f - <<<"$OBJECTS" 2>&1); do
    case $said in
      *"no matches for kind"* | *"could not find the requested resource"*) ;;
      *) fail "the API refused the pool of addresses: $(tail -n 1 <<<"$said" | cut -c1-300)" \
        "fix: look at kubernetes.cilium.loadBalancerPool; nothing was changed" ;;
    esac
    [ "$SECONDS" -lt "$deadline" ] || fail "Cilium does not know pools of addresses after $WAIT_SECONDS s: $(tail -n 1 <<<"$said" | cut -c1-200)" \
      "try: k3s kubectl -n kube-system get pods -l name=cilium-operator; then run again"
    if [ "$SECONDS" -ge "$next" ]; then
      echo "waits for Cilium's operator ($((SECONDS)) s)" >&2
      next=$((SECONDS + 15))
    fi
    sleep 2
  done
  echo "the pool of addresses is there"
}

remove() {
  local said
  said=$(kubectl delete --ignore-not-found --timeout=50s -f - <<<"$OBJECTS" 2>&1) ||
    case $said in
      *"no matches for kind"* | *"could not find the requested resource"*) ;;
      *) fail "could not take the pool of addresses away: $(tail -n 1 <<<"$said" | cut -c1-300)" "fix: run again" ;;
    esac
  echo "the pool of addresses is gone"
}

[ "$(cat /etc/rancher/k3s/server-ca.crt 2>/dev/null; printf x)" = "${SERVER_CA}x" ] || elsewhere "this host is no server of this cluster"
[ "$(kubectl get --raw /readyz 2>/dev/null)" = ok ] || elsewhere "the API of this server does not answer"

case $ACTION in
  apply) apply ;;
  remove) remove ;;
  *) fail "unknown action $ACTION" ;;
esac
