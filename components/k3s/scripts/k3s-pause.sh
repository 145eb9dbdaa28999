# shellcheck shell=bash
# Takes the work off a node whose machine is about to be restarted, from any server of its cluster. The node's membership
# gives it back once it is Ready again.
: "${ACTION:?}" "${NODE_NAME:?}" "${ROLE:?}" "${REGION:?}" "${SHAPE:?}" "${DRAIN_SECONDS:?}"
kubectl() { timeout 60 /usr/local/bin/k3s kubectl --request-timeout=30s "$@"; }
field() { kubectl get node "$NODE_NAME" -o "jsonpath=$1" 2>/dev/null || true; }

# Servers other than this one that do not vote or are not Ready.
unwell_servers() {
  kubectl get nodes -l node-role.kubernetes.io/etcd \
    -o 'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="EtcdIsVoter")].status}{"\n"}{end}' |
    awk -v me="$NODE_NAME" '$1 != "" && $1 != me && !($2 == "True" && $3 == "True") { print $1 }' | paste -sd' '
}

pause() {
  local known unwell log left="" before
  known=$(kubectl get node "$NODE_NAME" --ignore-not-found -o name) ||
    elsewhere "this server's API could not say whether $NODE_NAME is in the cluster"
  if [ -z "$known" ]; then
    echo "$NODE_NAME is not in the cluster: nothing to take off it"
    return 0
  fi
  [ "$(field '{.metadata.labels.topology\.kubernetes\.io/region}')" = "$REGION" ] ||
    elsewhere "this host is no server of region $REGION"
  if [ "$(field '{.metadata.annotations.hybrid-k3s\.io/shape}')" = "$SHAPE" ]; then
    echo "$NODE_NAME has $SHAPE already"
    return 0
  fi
  if [ "$ROLE" = server ]; then
    unwell=$(unwell_servers)
    [ -z "$unwell" ] || fail "restarting $NODE_NAME would break etcd: $unwell is not well · allowed no other server out while one restarts" \
      "fix: bring it back first (kubectl get nodes -l node-role.kubernetes.io/etcd), then run again"
  fi
  before=$(field '{.spec.unschedulable}')
  # A node that somebody cordoned stays so: only what was paused here is resumed.
  [ "$before" = true ] || kubectl annotate node "$NODE_NAME" --overwrite hybrid-k3s.io/paused=yes >/dev/null
  kubectl cordon "$NODE_NAME" >/dev/null
  log=$(mktemp /var/tmp/hybrid-k3s-drain-XXXXXX)
  timeout "$((DRAIN_SECONDS + 30))" /usr/local/bin/k3s kubectl drain "$NODE_NAME" --ignore-daemonsets --delete-emptydir-data --force \
    --timeout="${DRAIN_SECONDS}s" >"$log" 2>&1 || left=" (pods that did not move within $DRAIN_SECONDS s: $(grep -c '^pod/' "$log" || true))"
  rm -f "$log"
  echo "$NODE_NAME is drained$left"
}

[ "$(kubectl get --raw /readyz 2>/dev/null)" = ok ] || elsewhere "the API of this server does not answer"

case $ACTION in
  pause) pause ;;
  *) fail "unknown action $ACTION" ;;
esac
