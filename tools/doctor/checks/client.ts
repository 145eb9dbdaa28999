import type { Finding, NodeCheck } from "../finding.ts";
import { isWell, judged } from "../finding.ts";
import { runningWord } from "../in-mesh.ts";

const CLIENTS = {
  tailscale: { unit: "tailscaled", product: "Tailscale", up: "tailscale up" },
  netbird: { unit: "netbird", product: "NetBird", up: "netbird up" },
} as const;

/** The systemd unit of a mesh's client. */
export const unitOf = (mesh: keyof typeof CLIENTS): string => CLIENTS[mesh].unit;

const asleep = new Set(["Stopped", "Idle"]);
const out = new Set(["NeedsLogin", "LoginFailed", "SessionExpired"]);

function fixOf(state: string, name: string, { unit, up }: (typeof CLIENTS)[keyof typeof CLIENTS]): string {
  if (asleep.has(state)) return `${up} on the host: somebody switched it off`;
  if (out.has(state)) {
    return `the device is gone from the mesh, or its key has expired: raise the generation of ${name} and pulumi up, and it joins anew`;
  }
  if (state === "NeedsMachineAuth") return `let ${name} in, in the mesh's control plane`;
  return `journalctl -u ${unit} -n 30 on the host`;
}

/** Whether a node's client of the mesh runs, under the node's name and with its address. */
export const checkClient: NodeCheck = ({ node, facts }, { expectations }) => {
  const { mesh } = expectations;
  if (mesh === undefined || facts === undefined) return undefined;
  const finding = (text: string, fix: string): Finding => ({
    check: "mesh",
    node: node.name,
    text: `${node.name}: ${text}`,
    fix,
  });
  const words = CLIENTS[mesh.provider];
  const service = facts.units[words.unit] ?? "unknown";
  if (service !== "active") {
    return judged(
      [
        finding(
          `${words.product} does not run: found ${words.unit}.service ${service} · allowed active`,
          `systemctl start ${words.unit} hybrid-k3s-mesh on the host; if it does not stay up: journalctl -u ${words.unit} -n 30`,
        ),
      ],
      "",
    );
  }
  const { client } = facts;
  const wanted = runningWord(mesh.provider);
  if (client?.state !== wanted) {
    const state = client === undefined || client.state === "" ? "nothing" : client.state;
    const text = `${words.product} is not in the mesh: found ${state} · allowed ${wanted}`;
    return judged([finding(text, fixOf(state, node.name, words))], "");
  }
  const findings: Finding[] = [];
  if (client.name.toLowerCase() !== node.name.toLowerCase()) {
    findings.push(
      finding(
        `the mesh calls it by another name: found ${client.name === "" ? "none" : client.name} · allowed ${node.name}`,
        `a device named ${node.name} stood there before: remove both devices from the mesh, raise the generation of ${node.name}, then pulumi up`,
      ),
    );
  }
  const inMesh = expectations.sites[node.site]?.nodeAddresses === "mesh";
  if (client.address === "" || (inMesh && client.address !== node.address)) {
    findings.push(
      finding(
        `its address in the mesh: found ${client.address === "" ? "none" : client.address} · allowed ${inMesh ? node.address : "one of IPv4"}`,
        `raise the generation of ${node.name} and pulumi up: it joins anew, and its node takes the new address`,
      ),
    );
  }
  return findings.length > 0 ? judged(findings, "") : isWell(`${client.state}, ${client.address}`);
};
