import type { LargePacket, MeshPath, Way } from "./evidence.ts";
import { netbirdPaths } from "./netbird-status.ts";
import { factLines, json } from "./parse-look.ts";
import type { WayPlan } from "./plan.ts";

/** What `tailscale ping` says that an answer came by: `10.1.2.3:41641`, `DERP(tok)`, `peer-relay(10.1.2.3:7777:vni:1)`. */
function tailscalePath(via: string): MeshPath {
  const { word, inside } = /^(?<word>DERP|peer-relay)\((?<inside>.*)\)$/.exec(via)?.groups ?? {};
  if (word !== undefined) {
    return { kind: word === "DERP" ? "relayed" : "peer relay", ...(inside === undefined ? {} : { through: inside }) };
  }
  return via === "none" ? { kind: "none" } : { kind: "direct", through: via };
}

function largePacket(words: readonly string[]): LargePacket | undefined {
  const [, bytes, verdict, limit] = words;
  if (bytes === undefined) return undefined;
  const told = Number(limit ?? 0);
  return { bytes: Number(bytes), passes: verdict === "passes", ...(told > 0 ? { limit: told } : {}) };
}

/**
 * Reads what the probe printed of the ways from one host to others.
 * @param plans what it was asked to try
 */
export function parseReach(text: string, plans: readonly WayPlan[]): Way[] {
  const lines = factLines(text);
  const paths = netbirdPaths(json(lines.get("status")?.[0]));
  const wordsOf = (fact: string, name: string): readonly string[] =>
    (lines.get(fact) ?? []).map((line) => line.split(" ")).find(([one]) => one === name) ?? [];
  return plans.map(({ to, over, peer }) => {
    const [, device = "-"] = wordsOf("device", to);
    const [, latency] = wordsOf("latency", to);
    const [, via] = wordsOf("path", to);
    const large = largePacket(wordsOf("large", to));
    const known = via === undefined ? paths[to] : tailscalePath(via);
    const path: MeshPath | undefined = peer === "unknown" ? { kind: "unknown peer" } : known;
    return {
      to,
      over,
      device: device === "-" ? "" : device,
      ...(path === undefined ? {} : { path }),
      ...(latency === undefined ? {} : { latency: latency === "none" ? ("none" as const) : Number(latency) }),
      ...(large === undefined ? {} : { large }),
    };
  });
}
