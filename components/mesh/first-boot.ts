import { shellQuote } from "../host/command-text.ts";
import { clientLine, MESH_CLIENT } from "./scripts.ts";

/** How a machine joins its mesh at the first boot, before anything else can reach it. */
export interface FirstBoot {
  readonly provider: "tailscale" | "netbird";
  /** Of the client, such as `1.102.4`. */
  readonly version: string;
  /** Base URL of the vendor's package repository, or of a mirror of it. */
  readonly packages: string;
  /** The control server's URL. @default the vendor's own */
  readonly loginServer?: string;
  /** UDP port of the client. */
  readonly port: number;
  /** Name in the mesh. */
  readonly hostname: string;
  /** Works once, and for an hour: who reads a machine's user data later finds nothing of use. Secret. */
  readonly key: string;
  /**
   * The host firewall's first rules: nftables text, one table, as `hostFirewallRules` writes it. sshd is off until they
   * stand. They go into user data, where a cloud takes 16 KiB in all.
   * @default no host firewall: sshd is on from the start
   */
  readonly rules?: string;
}

/** How long a machine tries to join: images update themselves first, and names may not resolve at once. Seconds. */
export const JOIN_SECONDS = 600;

/** One call of the client, after its settings. The key stands in a file in memory. */
const JOINS: Readonly<Record<FirstBoot["provider"], (boot: FirstBoot) => string>> = {
  tailscale: ({ loginServer, port, hostname }) => `  if ! grep -qx 'PORT="${port}"' /etc/default/tailscaled; then
    sed -i '/^PORT=/d' /etc/default/tailscaled
    echo 'PORT="${port}"' >>/etc/default/tailscaled
    systemctl restart tailscaled
  fi
  systemctl enable --quiet --now tailscaled
  timeout 90 tailscale up --reset --timeout=60s --auth-key="file:$join_key" --hostname=${shellQuote(hostname)} \\
    --login-server=${shellQuote(loginServer ?? "https://controlplane.tailscale.com")} \\
    --accept-dns=false --accept-routes=false --snat-subnet-routes=false`,
  netbird: ({
    loginServer,
    port,
    hostname,
  }) => `  systemctl cat netbird.service >/dev/null 2>&1 || netbird service install
  systemctl enable --quiet --now netbird
  timeout 90 netbird up --setup-key-file "$join_key" --management-url ${shellQuote(loginServer ?? "https://api.netbird.io")} \\
    --hostname ${shellQuote(hostname)} --disable-dns --disable-auto-connect=false --network-monitor=false \\
    --wireguard-port ${port} --extra-iface-blacklist "$INTERFACES" && mkdir -p /etc/hybrid-k3s &&
    printf 'port=%s interfaces=%s server=%s' ${port} "$INTERFACES" ${shellQuote(loginServer ?? "https://api.netbird.io")} >/etc/hybrid-k3s/netbird`,
};

/** Comments cost room that user data does not have; what they tell shellcheck stays, for the tests ask it. */
const withoutComments = (script: string): string =>
  script
    .split("\n")
    .filter((line) => !/^\s*#(?! shellcheck (?:source|disable)=)/.test(line) && line.trim() !== "")
    .join("\n");

/** What {@link firstBoot} works with, and whoever installs a package before it. For `sh`. */
export const clientFunctions = (
  boot: FirstBoot,
): string => `${clientLine(boot.provider)}VERSION=${shellQuote(boot.version)}
PACKAGES=${shellQuote(boot.packages)}
${withoutComments(MESH_CLIENT.body)}
`;

/**
 * Shell for the end of a machine's user data: installs the pinned client and joins the mesh. For `sh`, under `set -eu`,
 * after {@link clientFunctions}.
 *
 * A machine that cannot join says why in the log of its first boot, without the key, and goes on: who has a console can
 * read it there. What is not needed to be reached at all comes later, over SSH, where it can be repeated.
 */
export function firstBoot(boot: FirstBoot): string {
  return `# The mesh: the only way in to this machine. The key works once.
join_key=/run/hybrid-k3s-join
printf '%s\\n' ${shellQuote(boot.key)} >"$join_key"
join_mesh() {
  install_client || return 1
  problem="${boot.provider} could not be started, or the key was refused"
  {
${JOINS[boot.provider](boot)}
  } >/run/hybrid-k3s-mesh.log 2>&1 && return 0
  problem="$problem: $(tail -n 1 /run/hybrid-k3s-mesh.log | cut -c1-300)"
  return 1
}
until_second=$(($(date +%s) + ${JOIN_SECONDS}))
echo "the mesh: ${boot.provider} ${boot.version} is installed and joins"
while ! join_mesh; do
  case $problem in *"$(cat "$join_key")"*) problem="the client's words hold the key, and are not shown" ;; esac
  echo "the mesh is not joined: $problem"
  [ "$(date +%s)" -lt "$until_second" ] || break
  sleep 15
done
rm -f "$join_key" /run/hybrid-k3s-mesh.log
`;
}
