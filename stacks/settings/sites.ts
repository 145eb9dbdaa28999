import type { SshHop } from "../../components/machine.ts";
import { byName } from "../../components/network/names.ts";
import type { ExistingMachineSettings, SiteSettings } from "../region-settings.ts";
import type { ParsedJump, ParsedMachine, ParsedPool, ParsedSettings, ParsedSite } from "./schema.ts";
import { present } from "./zod-problems.ts";

const LOGIN_USER = "root";
const SSH_PORT = 22;

/** A jump that is given, or undefined where the nearest setting says `none` or nothing. */
const hop = (jump: ParsedJump | undefined): SshHop | undefined => (jump === "none" ? undefined : jump);

const byKey = <Value>(record: Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(record).sort(([one], [other]) => byName(one, other)));

interface Place {
  readonly siteName: string;
  readonly site: ParsedSite;
  readonly poolName: string;
  readonly pool: ParsedPool;
}

/** A machine with what its pool and its site say for it: labels add up, everything else is replaced by the nearer one. */
function machineSettings(name: string, machine: ParsedMachine, place: Place): ExistingMachineSettings {
  const { siteName, site, poolName, pool } = place;
  return {
    name,
    role: pool.role,
    site: siteName,
    pool: poolName,
    zone: machine.zone ?? pool.zone ?? site.zone ?? siteName,
    generation: machine.generation,
    labels: byKey({ ...pool.labels, ...machine.labels }),
    taints: machine.taints ?? pool.taints ?? [],
    address: machine.address,
    ssh: present({
      host: machine.sshAddress ?? machine.address,
      port: machine.port ?? pool.port ?? site.port ?? SSH_PORT,
      user: machine.user ?? pool.user ?? site.user ?? LOGIN_USER,
      hostKey: machine.hostKey,
      jump: hop(machine.jump ?? pool.jump ?? site.jump),
    }),
  };
}

function siteSettings(siteName: string, site: ParsedSite): SiteSettings {
  const machines = Object.entries(site.pools).flatMap(([poolName, pool]) =>
    Object.entries(pool.machines).map(([name, machine]) =>
      machineSettings(name, machine, { siteName, site, poolName, pool }),
    ),
  );
  return present({
    name: siteName,
    provider: site.provider,
    lan: site.lan,
    jump: hop(site.jump),
    machines: machines.sort((one, other) => byName(one.name, other.name)),
  });
}

/** The sites and their machines, each sorted by name: the order in the file means nothing. */
export const normaliseSites = (sites: ParsedSettings["sites"]): readonly SiteSettings[] =>
  Object.entries(sites)
    .map(([name, site]) => siteSettings(name, site))
    .sort((one, other) => byName(one.name, other.name));
