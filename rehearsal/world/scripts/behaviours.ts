import type { ScriptRun } from "../script-run.ts";
import { ciliumPool } from "./cilium-pool.ts";
import { cniCilium } from "./cni-cilium.ts";
import { crds } from "./crds.ts";
import { existingHost } from "./existing-host.ts";
import { hostBaseline } from "./host-baseline.ts";
import { hostFirewall } from "./host-firewall.ts";
import { k3sMember } from "./k3s-member.ts";
import { meshJoin } from "./mesh-join.ts";
import { meshNode } from "./mesh-node.ts";
import { limaAddress, limaVm } from "../lima-scripts.ts";
import { k3sPause } from "./k3s-pause.ts";
import { k3sNode } from "./k3s-node.ts";

/** What a script does to the world. */
export type Behaviour = (run: ScriptRun) => Promise<void>;

/** Every script that the rehearsal can play, by the name of its file. */
export const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  "cilium-pool": ciliumPool,
  "cni-cilium": cniCilium,
  crds,
  "existing-host": existingHost,
  "host-baseline": hostBaseline,
  "host-firewall": hostFirewall,
  "k3s-member": k3sMember,
  "k3s-node": k3sNode,
  "k3s-pause": k3sPause,
  "lima-address": (run) => limaAddress(run, run.host.name),
  "netbird-join": meshJoin("netbird"),
  "netbird-node": meshNode("netbird"),
  "tailscale-join": meshJoin("tailscale"),
  "tailscale-node": meshNode("tailscale"),
  "lima-vm": (run) => limaVm(run, run.host.name),
};
