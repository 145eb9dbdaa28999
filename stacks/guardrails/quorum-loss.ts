import type { Deployed } from "../deployed.ts";
import type { MachineSettings, RegionSettings } from "../region-settings.ts";
import { problemText } from "../settings/problem.ts";
import { type Guardrail, machinesOf, statedAddress, statedShape } from "./guardrail.ts";

type DeployedNode = Deployed["nodes"][number];

/** A membership of etcd that this update ends or starts over, and why. */
interface Change {
  readonly name: string;
  readonly why: string;
  /** False where etcd loses nothing, but a member starts or restarts all the same: a new role, another size. */
  readonly losesData: boolean;
}

function changeOf(before: DeployedNode, after: MachineSettings | undefined): Change | undefined {
  const { name } = before;
  const wasServer = before.role === "server";
  if (after === undefined) return wasServer ? { name, why: "removed", losesData: true } : undefined;
  if (before.role !== after.role) return { name, why: `${before.role} → ${after.role}`, losesData: wasServer };
  if (!wasServer) return undefined;
  if (before.generation !== after.generation) {
    return { name, why: `generation ${before.generation} → ${after.generation}`, losesData: true };
  }
  const address = statedAddress(after);
  if (address !== undefined && before.address !== address) {
    return { name, why: `address ${before.address} → ${address}`, losesData: true };
  }
  const shape = statedShape(after);
  if (shape !== undefined && before.shape !== undefined && before.shape !== shape) {
    return { name, why: `${before.shape} → ${shape}, which restarts it`, losesData: false };
  }
  return undefined;
}

function changesOf(settings: RegionSettings, deployed: Deployed): readonly Change[] {
  const machines = new Map(machinesOf(settings).map((machine) => [machine.name, machine]));
  return deployed.nodes.flatMap((node) => changeOf(node, machines.get(node.name)) ?? []);
}

const listed = (changes: readonly Change[]): string => changes.map(({ name, why }) => `${name} (${why})`).join(", ");

/** A server's leave script asks etcd the same question at run time; this one is asked before anything is touched. */
export const quorumLoss: Guardrail = {
  id: "quorum-loss",
  reason: "etcd answers only while most of its members do: servers are replaced or removed one per update",
  severity: "refuse",
  check: (settings, deployed) => {
    if (deployed === undefined) return [];
    const changes = changesOf(settings, deployed);
    const lost = changes.filter((change) => change.losesData);
    const servers = deployed.nodes.filter((node) => node.role === "server");
    if (servers.length > 0 && lost.length === servers.length) {
      return [
        problemText("sites", `no deployed server left as it is: ${listed(lost)}`, {
          allowed: "an update that keeps a server, because the cluster's data is on its servers only",
          fix: "undo this, add servers in one update, then replace or remove the old one in the next",
        }),
      ];
    }
    if (changes.length < 2) return [];
    return [
      problemText("sites", `${changes.length} servers replaced, removed or restarted at once: ${listed(changes)}`, {
        allowed: "one server replaced, removed, restarted or turned into another role per update",
        fix: `keep the change of ${changes[0]?.name ?? ""} and undo the others; make them one update each`,
      }),
    ];
  },
};
