import type { MachineSpec, Role, Taint } from "../../components/machine.ts";
import { byName } from "../../components/network/names.ts";
import { present } from "../../components/present.ts";

/** What every kind's pools and machines may say of the mesh and the firewalls. */
interface Meshed {
  readonly relay?: boolean | undefined;
  readonly publicPorts?: readonly string[] | undefined;
}

/** What every kind's machine says once it is parsed. */
interface AnyMachine extends Meshed {
  readonly ingress?: boolean | undefined;
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[] | undefined;
  readonly zone?: string | undefined;
}

/** What every kind's pool says once it is parsed. */
interface AnyPool extends Meshed {
  readonly ingress?: boolean | undefined;
  readonly role: Role;
  readonly intermittent?: boolean | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[] | undefined;
  readonly zone?: string | undefined;
  readonly machines: Readonly<Record<string, AnyMachine>>;
}

/** What every kind's site says once it is parsed. */
interface AnySite {
  readonly zone?: string | undefined;
  readonly pools: Readonly<Record<string, AnyPool>>;
}

/** A machine, and what stands around it. */
export interface Placed<Site extends AnySite> {
  readonly name: string;
  readonly machine: Site["pools"][string]["machines"][string];
  readonly poolName: string;
  readonly pool: Site["pools"][string];
  readonly siteName: string;
  readonly site: Site;
}

/** The machines of a site, sorted by name: the order in the file means nothing. */
export const machinesIn = <Site extends AnySite>(siteName: string, site: Site): readonly Placed<Site>[] =>
  Object.entries(site.pools)
    .flatMap(([poolName, pool]) =>
      Object.entries(pool.machines).map(([name, machine]) => ({
        name,
        machine: machine as Site["pools"][string]["machines"][string],
        poolName,
        pool: pool as Site["pools"][string],
        siteName,
        site,
      })),
    )
    .sort((one, other) => byName(one.name, other.name));

const byKey = <Value>(record: Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(record).sort(([one], [other]) => byName(one, other)));

/** Where a node has this label, k3s's load balancer keeps to such nodes. https://docs.k3s.io/networking/networking-services */
const balanced = (ingress: boolean | undefined): Record<string, string> =>
  ingress === true ? { "svccontroller.k3s.cattle.io/enablelb": "true" } : {};

/** A machine with what its pool and its site say for it: labels add up, everything else is replaced by the nearer one. */
export const specOf = ({ name, machine, poolName, pool, siteName, site }: Placed<AnySite>): MachineSpec =>
  present({
    name,
    role: pool.role,
    site: siteName,
    pool: poolName,
    zone: machine.zone ?? pool.zone ?? site.zone ?? siteName,
    generation: machine.generation,
    labels: byKey({ ...pool.labels, ...machine.labels, ...balanced(machine.ingress ?? pool.ingress) }),
    taints: machine.taints ?? pool.taints ?? [],
    intermittent: pool.intermittent,
    relay: machine.relay ?? pool.relay,
    publicPorts: machine.publicPorts ?? pool.publicPorts,
  });
