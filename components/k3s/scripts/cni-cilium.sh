# shellcheck shell=bash
# Installs Cilium, or brings it to what the settings say, through k3s's Helm controller and from any server whose API
# answers. No node is Ready before this has run.
: "${ACTION:?}" "${VERSION:?}" "${CHART:?}" "${WAIT_SECONDS:?}" "${SERVER_CA:?}"
job=helm-install-cilium
kubectl() { timeout 60 /usr/local/bin/k3s kubectl --request-timeout=30s "$@"; }
system() { kubectl -n kube-system "$@"; }
of_chart() { system get helmchart cilium -o "jsonpath=$1" 2>/dev/null || true; }
of_job() { system get job "$job" -o "jsonpath=$1" 2>/dev/null || true; }

# What the job's pod says last, or why it does not run: three lines at most, none of them long.
why() {
  {
    system logs "job/$job" --tail=5 2>/dev/null | grep -iE 'error|fail|refused|timed out|no such host|not found' | tail -n 2
    system get pods -l "job-name=$job" \
      -o 'jsonpath={range .items[*]}{.status.conditions[?(@.type=="PodScheduled")].message}{" "}{.status.containerStatuses[*].state.waiting.message}{"\n"}{end}' 2>/dev/null |
      grep -E '[^ ]' | tail -n 1
  } | cut -c1-300
}

give_up() { # what happened
  local said
  said=$(why) || said=""
  fail "Cilium $VERSION was not installed: $1" "${said:-its job has said nothing}" \
    "try: k3s kubectl -n kube-system describe helmchart cilium; k3s kubectl -n kube-system logs job/$job; then run again"
}

# The kind is k3s's own, and known a moment after the API of a first server is.
apply_chart() {
  local deadline=$((SECONDS + 90)) said
  until said=$(kubectl apply --server-side --force-conflicts --field-manager=hybrid-k3s -f - <<<"$CHART" 2>&1); do
    case $said in
      *"no matches for kind"* | *"could not find the requested resource"*)
        [ "$SECONDS" -lt "$deadline" ] || fail "Cilium $VERSION was not installed: this cluster does not know the kind HelmChart" \
          "fix: remove disable-helm-controller from kubernetes.config"
        ;;
      *) fail "the API refused Cilium $VERSION: $(tail -n 1 <<<"$said" | cut -c1-300)" \
        "fix: look at kubernetes.cilium; nothing was changed" ;;
    esac
    sleep 2
  done
}

# A changed chart gets another job: the one before is deleted first.
wait_for_job() { # uid of the job before, or nothing
  local deadline=$((SECONDS + WAIT_SECONDS)) next=$((SECONDS + 15)) uid
  while :; do
    uid=$(of_job '{.metadata.uid}')
    if [ -n "$uid" ] && [ "$uid" != "$1" ]; then
      [ "$(of_job '{.status.succeeded}')" != 1 ] || return 0
      [ "$(of_job '{.status.conditions[?(@.type=="Failed")].status}')" != True ] || give_up "its job failed"
    fi
    [ "$SECONDS" -lt "$deadline" ] || give_up "its job has not succeeded after $WAIT_SECONDS s"
    if [ "$SECONDS" -ge "$next" ]; then
      echo "Cilium $VERSION: $([ -n "$uid" ] && [ "$uid" != "$1" ] && echo "its job runs" || echo "waits for its job") ($((SECONDS)) s)" >&2
      next=$((SECONDS + 15))
    fi
    sleep 1
  done
}

apply() {
  local generation uid
  generation=$(of_chart '{.metadata.generation}')
  uid=$(of_job '{.metadata.uid}')
  apply_chart
  # What is as it was has the job that it had.
  if [ -n "$generation" ] && [ "$(of_chart '{.metadata.generation}')" = "$generation" ]; then uid=""; fi
  wait_for_job "$uid"
  echo "Cilium $VERSION is installed"
}

[ "$(cat /etc/rancher/k3s/server-ca.crt 2>/dev/null; printf x)" = "${SERVER_CA}x" ] || elsewhere "this host is no server of this cluster"
[ "$(kubectl get --raw /readyz 2>/dev/null)" = ok ] || elsewhere "the API of this server does not answer"

case $ACTION in
  apply) apply ;;
  *) fail "unknown action $ACTION" ;;
esac
