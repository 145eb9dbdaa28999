# shellcheck shell=bash
# Sets or lifts the protection of a server against deletion and rebuild. The provider refuses to delete a protected
# server, and nobody deletes one by hand by mistake. Works with bash 3.2 (macOS).
: "${ACTION:?}" "${NODE_NAME:?}" "${SERVER_ID:?}" "${API_ENDPOINT:?}"
token=${API_TOKEN:-${HCLOUD_TOKEN:-}}
command -v curl >/dev/null || fail "this computer has no curl · fix: install it, then run again"
[ -n "$token" ] || fail "there is no token for the Hetzner Cloud API" \
  "fix: export HCLOUD_TOKEN, or set the site's token: pulumi config set --secret --path 'hybrid-k3s:sites.<site>.token'"
case $token in
  *[!A-Za-z0-9_-]*) fail "the token for the Hetzner Cloud API holds other characters than letters and digits · fix: copy it again" ;;
esac

# Asks the API; the answer is in $answer, its status in $status. The token comes by standard input: a command line is
# seen by every user of this computer.
request() { # method path [body]
  local reply
  reply=$(printf 'header = "Authorization: Bearer %s"\n' "$token" |
    curl --config - --silent --show-error --max-time 30 --retry 3 --request "$1" --header 'Content-Type: application/json' \
      ${3:+--data "$3"} --write-out '\n%{http_code}' "$API_ENDPOINT$2" 2>&1) ||
    fail "the Hetzner Cloud API at $API_ENDPOINT does not answer: $(printf %s "$reply" | head -n 1 | cut -c1-200)" \
      "fix: does this computer reach it? then run again"
  status=${reply##*$'\n'}
  answer=${reply%$'\n'*}
}

# A text or number of the answer, by its key: the first there is. The API's answers are small and hold no such key twice.
field() { printf %s "$answer" | tr -d '\n' | sed -n 's/.*"'"$1"'": *"\{0,1\}\([^",}]*\).*/\1/p' | head -n 1; }

explain() {
  fail "the Hetzner Cloud API answered $status to the protection of $NODE_NAME: $(field message | cut -c1-200)" \
    "fix: may the token write, and is it one of this project? then run again"
}

# Waits until a started action has ended.
settle() {
  local id deadline=$((SECONDS + 60))
  id=$(printf %s "$answer" | tr -d '\n' | sed -n 's/.*"action": *{[^{}]*"id": *\([0-9]*\).*/\1/p')
  while [ "$(field status)" = running ]; do
    [ "$SECONDS" -lt "$deadline" ] || fail "the protection of $NODE_NAME is not changed after 60 s · fix: run again"
    sleep 1
    request GET "/actions/$id"
    [ "$status" = 200 ] || explain
  done
  [ "$(field status)" = success ] || explain
}

change_protection() { # true|false
  local tries=0
  while :; do
    request POST "/servers/$SERVER_ID/actions/change_protection" "{\"delete\": $1, \"rebuild\": $1}"
    # 409 and 423: another action holds the server. 429: too many requests.
    case $status in
      409 | 423 | 429) ;;
      *) break ;;
    esac
    tries=$((tries + 1))
    [ "$tries" -lt 12 ] || explain
    sleep 5
  done
}

case $ACTION in
  protect)
    change_protection true
    [ "$status" = 201 ] || explain
    settle
    echo "$NODE_NAME is protected against deletion and rebuild"
    ;;
  lift)
    change_protection false
    if [ "$status" = 404 ]; then
      echo "$NODE_NAME is gone already"
      exit 0
    fi
    [ "$status" = 201 ] || explain
    settle
    echo "the protection of $NODE_NAME is lifted"
    ;;
  *) fail "unknown action $ACTION" ;;
esac
