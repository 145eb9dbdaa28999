import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");

/** What the simulation plays, and the script that says it on a real host. */
const PAIRS = [
  ["rehearsal/world/scripts/host-baseline.ts", "components/bootstrap/scripts/host-baseline.sh"],
  ["rehearsal/world/scripts/host-firewall.ts", "components/firewall/scripts/host-firewall.sh"],
  ["rehearsal/world/scripts/existing-host.ts", "components/existing/scripts/existing-host.sh"],
  ["rehearsal/world/scripts/k3s-node.ts", "components/k3s/scripts/k3s-node.sh"],
  ["rehearsal/world/scripts/k3s-member.ts", "components/k3s/scripts/k3s-member.sh"],
  ["rehearsal/world/scripts/cni-cilium.ts", "components/k3s/scripts/cni-cilium.sh"],
  ["rehearsal/world/scripts/cilium-pool.ts", "components/k3s/scripts/cilium-pool.sh"],
  ["rehearsal/world/scripts/crds.ts", "components/platform/scripts/crds.sh"],
  ["rehearsal/world/local-scripts/server-protection.ts", "components/hetzner/scripts/server-protection.sh"],
  ["rehearsal/commands/station.ts", "components/host/scripts/over-ssh.sh"],
] as const;

/** Words that a script passes on or fills in, and notes of the simulation's own record: cut out before comparing. */
const NOT_THE_SCRIPTS =
  /ssh: connect to host|Connection (?:timed out|refused)|client_loop: send disconnect: Broken pipe|the API of this server does not answer|\/etc\/hybrid-k3s\/machine|etcd cluster join failed: .*|: activating auto-restart exit-code 3|the file that was released|configuration written|duplicate node name.*|Node password rejected.*|a time that is not simulated|firewall (?:changed|confirmed|removed|rolled back)|Error: looks like .*|pool of addresses (?:applied|removed)|this host is no server of this cluster|server not found|no cluster is configured.*|etcd has no leader.*/;

/** Sentences of a TypeScript file: texts with a blank in them, cut where a value is put in. */
function phrases(source: string): string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const texts = [...code.matchAll(/`((?:[^`\\]|\\.)*)`|"((?:[^"\\]|\\.)*)"/g)].map(
    (match) => match[1] ?? match[2] ?? "",
  );
  return texts
    .flatMap((text) => text.split(/\$\{(?:[^{}]|\{[^{}]*\})*\}/))
    .flatMap((text) => text.split(NOT_THE_SCRIPTS))
    .map((part) => part.replace(/^[)\s:]+/, "").trim())
    .filter((part) => part.length >= 18 && part.includes(" "));
}

describe.each(PAIRS)("%s", (simulated, script) => {
  it(`says what ${script} says`, () => {
    const words = read(script);
    const said = phrases(read(simulated));
    expect(said.length).toBeGreaterThan(0);
    expect(said.filter((phrase) => !words.includes(phrase))).toEqual([]);
  });
});
