import { createHash } from "node:crypto";
import { z } from "zod";
import { imageNames } from "../../../components/lima/images.ts";
import type { LimaNetwork } from "../../../components/lima/vm-yaml.ts";
import type { LimaMachineSettings, LimaSiteSettings } from "../../sites/lima-settings.ts";
import { RULES } from "../rules.ts";
import {
  access,
  cidr,
  diskSize,
  generation,
  host,
  hop,
  hostKey,
  ingress,
  lasting,
  jump,
  memorySize,
  node,
  nodeAddresses,
  oneOf,
  openness,
  port,
  role,
  user,
  zone,
} from "../schema-pieces.ts";
import { machinesIn, specOf, type Placed } from "../site-machines.ts";
import { present } from "../../../components/present.ts";
import { breaking, named, saying, strict, wholeNumber } from "../../../components/strict-schema.ts";

/** The ranges that Lima gives its networks. https://lima-vm.io/docs/config/network/ */
const LANS = { shared: "192.168.105.0/24", "user-v2": "192.168.104.0/24" } as const;
const DEFAULTS = { image: "ubuntu-24.04", cpus: 2, memory: 4, disk: 40 };

/** What a site, a pool or a machine may say about its VMs; the nearest one counts. */
const vm = {
  image: oneOf("images", imageNames).optional(),
  cpus: wholeNumber(RULES.cpus, 1, 64).optional(),
  memory: memorySize.optional(),
  disk: diskSize.optional(),
  data: diskSize.optional(),
  deleteData: z.boolean(saying(RULES.switch)).optional(),
};

const machine = strict({ generation, ...node, ...openness, ...ingress, ...vm });

const pool = strict({
  role,
  ...lasting,
  ...node,
  ...openness,
  ...ingress,
  ...vm,
  machines: named(RULES.machines, machine),
});

const site = strict({
  provider: z.literal("lima"),
  host: strict({ address: host, user, port: port.optional(), hostKey, jump: jump.optional() }).optional(),
  hostSystem: z.enum(["macos", "linux"], saying(RULES.hostSystem)).optional(),
  network: z.enum(["shared", "user-v2"], saying(RULES.limaNetwork)).optional(),
  lan: cidr(RULES.lan, 8, 30).optional(),
  autostart: z.boolean(saying(RULES.switch)).default(true),
  zone: zone.optional(),
  nodeAddresses,
  access: access.optional(),
  ...vm,
  pools: named(RULES.pools, pool),
});

/** A site of kind `lima`, as a user writes it. */
export const limaSite = site.superRefine((value, context) => {
  if (value.network === "shared" && value.hostSystem === "linux") {
    context.addIssue(breaking(RULES.limaSharedOnLinux, ["network"]));
  }
});

type Parsed = z.output<typeof site>;

/** socket_vmnet is for macOS. */
const networkOf = ({ network, hostSystem }: Parsed): LimaNetwork =>
  network ?? (hostSystem === "linux" ? "user-v2" : "shared");

/** First of the ports that VMs of a `user-v2` network have their sshd at, on the host. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;

/** A port that follows from the machine's name, so that it stays whatever happens to its neighbours. */
const portOf = (machineName: string): number =>
  FIRST_PORT + (createHash("sha256").update(machineName).digest().readUInt32BE() % PORTS);

function machineSettings(placed: Placed<Parsed>): LimaMachineSettings {
  const { name, site: whole, pool: around, machine: own } = placed;
  return present({
    ...specOf(placed),
    image: own.image ?? around.image ?? whole.image ?? DEFAULTS.image,
    cpus: own.cpus ?? around.cpus ?? whole.cpus ?? DEFAULTS.cpus,
    memoryGiB: own.memory ?? around.memory ?? whole.memory ?? DEFAULTS.memory,
    diskGiB: own.disk ?? around.disk ?? whole.disk ?? DEFAULTS.disk,
    dataGiB: own.data ?? around.data ?? whole.data,
    deleteData: own.deleteData ?? around.deleteData ?? whole.deleteData ?? false,
    sshPort: portOf(name),
    ingress: own.ingress ?? around.ingress ?? false,
  });
}

const hostSettings = ({ host: given }: Parsed): LimaSiteSettings["host"] =>
  given &&
  present({
    host: given.address,
    port: given.port ?? 22,
    user: given.user,
    hostKey: given.hostKey,
    jump: hop(given.jump),
  });

/** The site with its defaults; the machines sorted by name. */
export function normaliseLimaSite(name: string, parsed: Parsed): LimaSiteSettings {
  const network = networkOf(parsed);
  return present({
    name,
    provider: parsed.provider,
    host: hostSettings(parsed),
    hostSystem: parsed.hostSystem ?? "macos",
    network,
    lan: parsed.lan ?? LANS[network],
    nodeAddresses: parsed.nodeAddresses,
    accessFrom: parsed.access?.from ?? [],
    autostart: parsed.autostart,
    machines: machinesIn(name, parsed).map(machineSettings),
  });
}
