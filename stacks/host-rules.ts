import { hostFirewallRules, type HostFirewallPlan } from "../components/firewall/rules.ts";
import { LIMA_HOST } from "../components/lima/vm-yaml.ts";
import type { MachineSpec } from "../components/machine.ts";
import type { Mesh } from "../components/mesh/mesh.ts";
import { openPorts } from "../components/mesh/open-ports.ts";
import { lansOf } from "./lans.ts";
import type { MachineSettings, RegionSettings, SiteSettings } from "./region-settings.ts";

const SSH_PORT = 22;

/** What the rules of a region's hosts follow from. Plain values. */
export interface HostRulesArgs {
  readonly settings: RegionSettings;
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
function planOf({ settings, mesh }: HostRulesArgs, site: SiteSettings, machine: MachineSettings): HostFirewallPlan {
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
function placeOf({ sites }: RegionSettings, spec: MachineSpec): readonly [SiteSettings, MachineSettings] {
  const site = sites.find(({ name }) => name === spec.site);
  const machine = site?.machines.find(({ name }) => name === spec.name);
  if (site === undefined || machine === undefined)
    throw new Error(`the settings have no machine ${spec.name} on a site ${spec.site}`);
  return [site, machine];
}

/** What a machine's own firewall lets in, as nftables text; undefined where the settings have no host firewall. */
export function hostRules(args: HostRulesArgs, spec: MachineSpec): string | undefined {
  if (!args.settings.hostFirewall.enabled) return undefined;
  return hostFirewallRules(planOf(args, ...placeOf(args.settings, spec)));
}
