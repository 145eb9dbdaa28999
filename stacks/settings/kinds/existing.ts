import { z } from "zod";
import { isIpv4Address } from "../../../components/network/cidr.ts";
import type { ExistingMachineSettings, ExistingSiteSettings } from "../../sites/existing-settings.ts";
import { RULES } from "../rules.ts";
import {
  access,
  cidr,
  generation,
  hop,
  host,
  hostKey,
  ingress,
  lasting,
  login,
  memorySize,
  node,
  nodeAddresses,
  openness,
  relaying,
  role,
  zone,
} from "../schema-pieces.ts";
import { machinesIn, specOf, type Placed } from "../site-machines.ts";
import { present } from "../../../components/present.ts";
import { named, strict, text, wholeNumber } from "../../../components/strict-schema.ts";

/** What a pool or a machine may say of its size, both or none of it; the nearest one counts. */
const hardware = { cpus: wholeNumber(RULES.hostCpus, 1, 512).optional(), memory: memorySize.optional() };

const LOGIN_USER = "root";
const SSH_PORT = 22;

const machine = strict({
  address: text(RULES.address, isIpv4Address),
  hostKey,
  sshAddress: host.optional(),
  generation,
  ...login,
  ...node,
  ...openness,
  ...ingress,
  ...relaying,
  ...hardware,
});

const pool = strict({
  role,
  ...lasting,
  ...hardware,
  ...login,
  ...node,
  ...openness,
  ...ingress,
  ...relaying,
  machines: named(RULES.machines, machine),
});

/** A site of kind `existing`, as a user writes it. */
export const existingSite = strict({
  provider: z.literal("existing"),
  lan: cidr(RULES.lan, 8, 30),
  zone: zone.optional(),
  nodeAddresses,
  access: access.optional(),
  ...login,
  pools: named(RULES.pools, pool),
});

type Parsed = z.output<typeof existingSite>;

function machineSettings(placed: Placed<Parsed>): ExistingMachineSettings {
  const { site, pool: around, machine: own } = placed;
  const [cpus, memoryGiB] = [own.cpus ?? around.cpus, own.memory ?? around.memory];
  return {
    ...specOf(placed),
    address: own.address,
    ...(cpus === undefined || memoryGiB === undefined ? {} : { size: { cpus, memoryGiB } }),
    ingress: own.ingress ?? around.ingress ?? false,
    ssh: present({
      host: own.sshAddress ?? own.address,
      port: own.port ?? around.port ?? site.port ?? SSH_PORT,
      user: own.user ?? around.user ?? site.user ?? LOGIN_USER,
      hostKey: own.hostKey,
      jump: hop(own.jump ?? around.jump ?? site.jump),
    }),
  };
}

/** The site with its defaults: what pools and the site say is merged into the machines, which are sorted by name. */
export const normaliseExistingSite = (name: string, site: Parsed): ExistingSiteSettings => ({
  name,
  provider: site.provider,
  lan: site.lan,
  nodeAddresses: site.nodeAddresses,
  accessFrom: site.access?.from ?? [],
  machines: machinesIn(name, site).map(machineSettings),
});
