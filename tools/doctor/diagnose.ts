import { k3sUnit } from "./checks/k3s.ts";
import { watchedInterfaces } from "./checks/mtu.ts";
import { unitOf } from "./checks/client.ts";
import type { DeviceList } from "./control.ts";
import type { Devices, Evidence, Expectations, NodeView, Target } from "./evidence.ts";
import { isInMesh } from "./in-mesh.ts";
import { planWays } from "./plan.ts";
import { look, reach } from "./probe.ts";
import { sideBySide } from "./side-by-side.ts";
import { Ssh } from "./ssh.ts";

/** Hosts that are looked at at a time: each is an ssh on this computer, and all may come through one jump host. */
const AT_A_TIME = 8;

/** What a diagnosis is made from. */
export interface DiagnoseArgs {
  /** How each node is reached, by name. */
  readonly targets: readonly Target[];
  readonly expectations: Expectations;
  /** Keys that log in, in order of preference. */
  readonly privateKeys: readonly string[];
  /** The mesh's control plane. @default it is not asked */
  readonly control?: DeviceList | undefined;
  /** Is told what goes on. @default nobody */
  readonly say?: (line: string) => void;
}

async function devicesOf({ expectations, control }: DiagnoseArgs): Promise<Devices | undefined> {
  if (expectations.mesh === undefined) return undefined;
  if (control === undefined) return { notLookedAt: "the settings do not say where its control plane is" };
  try {
    return { list: await control.devices() };
  } catch (error) {
    return { notLookedAt: error instanceof Error ? error.message : String(error) };
  }
}

/** First look: every host by itself. */
async function lookAtAll(ssh: Ssh, { targets, expectations }: DiagnoseArgs): Promise<NodeView[]> {
  const { mesh } = expectations;
  return sideBySide(expectations.nodes, AT_A_TIME, async (node): Promise<NodeView> => {
    const target = targets.find(({ name }) => name === node.name);
    if (target === undefined) return { node, ways: [] };
    const answer = await look(ssh, target, {
      mesh: mesh?.provider ?? "none",
      units: [k3sUnit(node), ...(mesh === undefined ? [] : [unitOf(mesh.provider), "hybrid-k3s-mesh"])],
      interfaces: watchedInterfaces(expectations),
    });
    return { node, target, ...answer, ways: [] };
  });
}

/** Second look: the ways between those that work, for what does not work is found already. */
async function tryWays(ssh: Ssh, evidence: Evidence): Promise<NodeView[]> {
  return sideBySide(evidence.nodes, AT_A_TIME, async (view): Promise<NodeView> => {
    const { target, facts } = view;
    const plans = planWays(view, evidence);
    if (target === undefined || facts === undefined || plans.length === 0) return view;
    const mesh = isInMesh(view, evidence) ? (evidence.expectations.mesh?.provider ?? "none") : "none";
    const { reached, ways } = await reach(ssh, target, mesh, plans);
    return { ...view, reached, ways };
  });
}

/** Looks at all hosts of a region, side by side, and at the ways between them. Changes nothing anywhere. */
export async function diagnose(args: DiagnoseArgs): Promise<Evidence> {
  const { expectations, privateKeys, say = () => undefined } = args;
  const ssh = new Ssh(privateKeys);
  const close = (): void => ssh.close();
  process.once("exit", close);
  try {
    say(`looks at ${expectations.nodes.length} nodes …`);
    const [nodes, devices] = await Promise.all([lookAtAll(ssh, args), devicesOf(args)]);
    const first: Evidence = { expectations, nodes, ...(devices === undefined ? {} : { devices }), now: new Date() };
    say("tries the ways between them …");
    return { ...first, nodes: await tryWays(ssh, first) };
  } finally {
    process.removeListener("exit", close);
    close();
  }
}
