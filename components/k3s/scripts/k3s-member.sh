# shellcheck shell=bash
# A node's membership, worked on from any server of the cluster: wait until it is Ready, keep its labels and taints as
# the settings say, and take it out of the cluster without harm.
: "${ACTION:?}" "${NODE_NAME:?}" "${ROLE:?}" "${SERVER_CA:?}"
remembered=hybrid-k3s.io/managed
kubectl() { timeout 60 /usr/local/bin/k3s kubectl --request-timeout=30s "$@"; }
field() { kubectl get node "$NODE_NAME" -o "jsonpath=$1" 2>/dev/null || true; }
condition() { field "{.status.conditions[?(@.type==\"$1\")].status}"; }

# shellcheck disable=SC2153 # VERSION is a parameter, version is what the node says
wait_ready() {
  local deadline=$((SECONDS + READY_SECONDS)) ready voter version
  while :; do
    ready=$(condition Ready)
    voter=True
    if [ "$ROLE" = server ]; then voter=$(condition EtcdIsVoter); fi
    version=$(field '{.status.nodeInfo.kubeletVersion}')
    [ "$ready" != True ] || [ "$voter" != True ] || [ "$version" != "$VERSION" ] || return 0
    [ "$SECONDS" -lt "$deadline" ] || break
    sleep 1
  done
  fail "node $NODE_NAME is not in the cluster after $READY_SECONDS s: Ready is ${ready:-unknown (no such Node)}, EtcdIsVoter is ${voter:-unknown}, version is ${version:-unknown} (allowed $VERSION)" \
    "$(field '{.status.conditions[?(@.type=="Ready")].message}' | cut -c1-300)" \
    "try: kubectl describe node $NODE_NAME; journalctl -u k3s -u k3s-agent -e on that host; then run again"
}

# Labels and taints of earlier runs that the settings no longer name are removed; others of the node are not touched.
# shellcheck disable=SC2153 # LABELS and TAINTS are parameters of the script
converge_marks() {
  local before line key mark labels=() taints=() now="" said
  before=$(kubectl get node "$NODE_NAME" -o 'jsonpath={.metadata.annotations.hybrid-k3s\.io/managed}')
  while IFS= read -r line; do
    [ -n "$line" ] || continue
    labels+=("$line")
    now="$now label:${line%%=*}"
  done <<<"$LABELS"
  while IFS= read -r line; do
    [ -n "$line" ] || continue
    taints+=("$line")
    key=${line%%[=:]*}
    now="$now taint:$key:${line##*:}"
  done <<<"$TAINTS"
  for mark in $before; do
    case " $now " in *" $mark "*) continue ;; esac
    case $mark in
      label:*) labels+=("${mark#label:}-") ;;
      taint:*)
        said=$(kubectl taint node "$NODE_NAME" "${mark#taint:}-" 2>&1) ||
          case $said in *"not found"*) ;; *) fail "could not remove the taint ${mark#taint:}: $said" ;; esac
        ;;
    esac
  done
  if [ ${#labels[@]} -gt 0 ]; then kubectl label node "$NODE_NAME" --overwrite "${labels[@]}" >/dev/null; fi
  if [ ${#taints[@]} -gt 0 ]; then kubectl taint node "$NODE_NAME" --overwrite "${taints[@]}" >/dev/null; fi
  kubectl annotate node "$NODE_NAME" --overwrite "$remembered=${now# }" >/dev/null
}

# Gives a node its work back that k3s-pause.sh took off it, and notes what its machine is now.
resume() {
  [ -n "$SHAPE" ] || return 0
  if [ "$(field '{.metadata.annotations.hybrid-k3s\.io/paused}')" = yes ]; then
    kubectl uncordon "$NODE_NAME" >/dev/null
    kubectl annotate node "$NODE_NAME" hybrid-k3s.io/paused- >/dev/null
  fi
  kubectl annotate node "$NODE_NAME" --overwrite "hybrid-k3s.io/shape=$SHAPE" >/dev/null
}

# etcd members other than this one that vote and whose node is Ready, and all members other than this one.
count_others() {
  kubectl get nodes -l node-role.kubernetes.io/etcd \
    -o 'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="EtcdIsVoter")].status}{"\n"}{end}' |
    awk -v me="$NODE_NAME" '$1 != "" && $1 != me { all++; if ($2 == "True" && $3 == "True") well++ } END { print well + 0, all + 0 }'
}

refuse_quorum_loss() {
  local well all needed
  read -r well all <<<"$(count_others)"
  needed=$((all / 2 + 1))
  [ "$all" -gt 0 ] || fail "$NODE_NAME is the cluster's only server: its data would go with it · fix: add servers first, or destroy the stack"
  [ "$well" -ge "$needed" ] || fail "taking $NODE_NAME out would break etcd: $well of the $all other servers are healthy · allowed $needed or more" \
    "fix: bring the other servers back first (kubectl get nodes -l node-role.kubernetes.io/etcd), then run again"
}

# Names of etcd's members, as this server's etcd lists them on its local port; empty if it does not say.
etcd_members() {
  local tls=/var/lib/rancher/k3s/server/tls/etcd
  curl --silent --max-time 5 --cacert "$tls/server-ca.crt" --cert "$tls/client.crt" --key "$tls/client.key" \
    --request POST --data '{}' https://127.0.0.1:2382/v3/cluster/member/list 2>/dev/null | grep -oE '"name":"[^"]*"' || true
}

remove_etcd_member() {
  local deadline=$((SECONDS + 60)) member members
  member=$(field '{.metadata.annotations.etcd\.k3s\.cattle\.io/node-name}')
  kubectl annotate node "$NODE_NAME" --overwrite etcd.k3s.cattle.io/remove=true >/dev/null 2>&1 || return 0
  # The removal takes a second, the answer in the annotation up to a minute when the leaving server led: etcd's own list
  # counts where it can be read. Deleting the Node removes the member too.
  until [ -n "$(field '{.metadata.annotations.etcd\.k3s\.cattle\.io/removed-node-name}')" ]; do
    members=$(etcd_members)
    if [ -n "$members" ] && [ -n "$member" ] && ! grep -qF "\"$member\"" <<<"$members"; then return 0; fi
    [ "$SECONDS" -lt "$deadline" ] || return 0
    sleep 1
  done
}

# Drains within DRAIN_SECONDS; a failure before that is tried again, for the API may have blinked.
drain() { # log
  local deadline=$((SECONDS + DRAIN_SECONDS)) rest
  while :; do
    rest=$((deadline - SECONDS))
    [ "$rest" -gt 0 ] || return 1
    if timeout "$((rest + 30))" /usr/local/bin/k3s kubectl drain "$NODE_NAME" --ignore-daemonsets --delete-emptydir-data --force \
      --timeout="${rest}s" >"$1" 2>&1; then return 0; fi
    sleep 2
  done
}

leave() {
  local left="" known log
  # An error is no answer: a node that only seems gone would be wiped as a voting member.
  known=$(kubectl get node "$NODE_NAME" --ignore-not-found -o name) ||
    elsewhere "this server's API could not say whether $NODE_NAME is in the cluster"
  if [ -n "$known" ]; then
    if [ "$ROLE" = server ]; then refuse_quorum_loss; fi
    kubectl cordon "$NODE_NAME" >/dev/null
    if [ "$(condition Ready)" = True ]; then
      log=$(mktemp /var/tmp/hybrid-k3s-drain-XXXXXX)
      drain "$log" || left=" (pods that did not move within $DRAIN_SECONDS s: $(grep -c '^pod/' "$log" || true))"
      rm -f "$log"
    else
      left=" (it was not Ready, so nothing could be drained)"
    fi
    if [ "$ROLE" = server ]; then remove_etcd_member; fi
    timeout 90 /usr/local/bin/k3s kubectl delete node "$NODE_NAME" --ignore-not-found --timeout=60s >/dev/null
  fi
  kubectl -n kube-system delete secret "$NODE_NAME.node-password.k3s" --ignore-not-found >/dev/null
  echo "$NODE_NAME has left the cluster$left"
}

# Any server of this cluster will do. A host that is none any more, or whose API does not run, passes the work on.
[ "$(cat /etc/rancher/k3s/server-ca.crt 2>/dev/null; printf x)" = "${SERVER_CA}x" ] || elsewhere "this host is no server of this cluster"
[ "$(kubectl get --raw /readyz 2>/dev/null)" = ok ] || elsewhere "the API of this server does not answer"

case $ACTION in
  join | converge)
    : "${READY_SECONDS:?}" "${VERSION:?}" "${LABELS?}" "${TAINTS?}"
    : "${SHAPE:=}"
    wait_ready
    converge_marks
    resume
    echo "$NODE_NAME is Ready"
    ;;
  leave)
    : "${DRAIN_SECONDS:?}"
    leave
    ;;
  *) fail "unknown action $ACTION" ;;
esac
