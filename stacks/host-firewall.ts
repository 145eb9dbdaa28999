import * as pulumi from "@pulumi/pulumi";
import type { LoginKey } from "../components/bootstrap/login-key.ts";
import { hostFirewall } from "../components/firewall/host-firewall.ts";
import { hostFirewallRules, type HostFirewallPlan } from "../components/firewall/rules.ts";
import { digest } from "../components/host/script-file.ts";
import type { PrepareHost } from "../components/k3s/node.ts";
import { LIMA_HOST } from "../components/lima/vm-yaml.ts";
import type { Machine } from "../components/machine.ts";
import type { Mesh } from "../components/mesh/mesh.ts";
import { openPorts } from "../components/mesh/open-ports.ts";
import { lansOf } from "./lans.ts";
import type { MachineSettings, RegionSettings, SiteSettings } from "./region-settings.ts";

const SSH_PORT = 22;

/** What the firewalls of a region's hosts are declared from. */
export interface HostFirewallsArgs {
  readonly settings: RegionSettings;
  /** The key that all machines take. */
  readonly login: Pick<LoginKey, "privateKey" | "previous">;
  /** @default no mesh */
  readonly mesh?: Pick<Mesh, "interface" | "port">;
}

/** Who reaches SSH beside mesh and LAN. A VM's own host comes on an interface of its own to each VM. */
const sshFrom = (site: SiteSettings): readonly string[] =>
  site.provider === "lima" ? [...site.accessFrom, `${LIMA_HOST}/32`] : site.accessFrom;

/** Ports that sshd may have on the host: through a forwarded port, the one that the settings state is its router's. */
const sshPorts = (machine: MachineSettings): readonly number[] =>
  "ssh" in machine ? [SSH_PORT, machine.ssh.port] : [SSH_PORT];

/** What decides the rules of one machine's host. */
function planOf({ settings, mesh }: HostFirewallsArgs, site: SiteSettings, machine: MachineSettings): HostFirewallPlan {
  const { kubernetes, plan } = settings;
  return {
    role: machine.role,
    cni: kubernetes.cni,
    flannelBackend: kubernetes.flannelBackend,
    pods: plan.pods,
    services: plan.services,
    lan: lansOf(settings, site),
    ...(mesh === undefined ? {} : { mesh: { interface: mesh.interface, port: mesh.port } }),
    ingress: machine.ingress,
    publicPorts: openPorts(machine),
    ssh: { ports: sshPorts(machine), from: sshFrom(site) },
  };
}

/** The settings of a machine, and of its site. @throws Error if the settings have no such machine */
function placeOf({ sites }: RegionSettings, { spec }: Machine): readonly [SiteSettings, MachineSettings] {
  const site = sites.find(({ name }) => name === spec.site);
  const machine = site?.machines.find(({ name }) => name === spec.name);
  if (site === undefined || machine === undefined)
    throw new Error(`the settings have no machine ${spec.name} on a site ${spec.site}`);
  return [site, machine];
}

/**
 * Declares the firewall of a node's host, in the node's turn and before its k3s.
 * @returns undefined where the settings have none
 */
export function hostFirewalls(args: HostFirewallsArgs): PrepareHost | undefined {
  const { settings, login } = args;
  if (!settings.hostFirewall.enabled) return undefined;
  return (machine, options) => {
    const [site, stated] = placeOf(settings, machine);
    const rules = hostFirewallRules(planOf(args, site, stated));
    const resource = hostFirewall(
      `${machine.spec.name}-firewall`,
      {
        spec: machine.spec,
        rules,
        ssh: machine.ssh,
        login,
        triggers: [machine.id],
        connectSeconds: settings.kubernetes.connectSeconds,
      },
      // A host that stays is given back without our rules; any other takes them with it.
      site.provider === "existing" ? options : pulumi.mergeOptions(options, { deletedWith: machine.resource }),
    );
    // A rule that is wrong cuts the node off: the next node's turn comes once this one is Ready with it.
    return { resources: [resource], mark: digest(rules) };
  };
}
