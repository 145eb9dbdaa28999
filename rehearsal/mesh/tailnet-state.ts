import { createHash, randomBytes } from "node:crypto";
import { parse } from "jsonc-parser";
import { cidrContains } from "../../components/network/cidr.ts";
import { Clock } from "./clock.ts";

/** A key of the tailnet. */
export interface TailnetKey {
  readonly id: string;
  readonly key: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly preauthorized: boolean;
  readonly reusable: boolean;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly expires: number;
  used: boolean;
}

/** A device of the tailnet; scenarios may set what can change. */
export interface TailnetDevice {
  readonly id: string;
  readonly hostname: string;
  /** One label: with a suffix where the name was taken. */
  readonly name: string;
  readonly address: string;
  readonly created: number;
  tags: readonly string[];
  authorized: boolean;
  online: boolean;
  lastSeen: number;
  keyExpiryDisabled: boolean;
  expires: number;
  advertised: readonly string[];
  enabled: readonly string[];
}

interface PolicyFile {
  readonly tagOwners?: Readonly<Record<string, readonly string[]>>;
  readonly autoApprovers?: { readonly routes?: Readonly<Record<string, readonly string[]>> };
}

/** What a new tailnet's file holds: everything is allowed. */
export const NEW_TAILNET_POLICY = `// Example/default policy for unrestricted connections.
{
	// Define the tags which can be applied to devices and by which users.
	"tagOwners": {},
	// Define grants that govern access for users, groups, autogroups, tags.
	"grants": [
		// Allow all connections.
		{"src": ["*"], "dst": ["*"], "ip": ["*"]},
	],
}
`;

const HALF_A_YEAR = 180 * 86_400_000;

/** What a tailnet knows, and what its control plane would do, without the API around it. */
export class TailnetState {
  readonly clock = new Clock();
  readonly keys = new Map<string, TailnetKey>();
  readonly devices = new Map<string, TailnetDevice>();
  /** MagicDNS domain. */
  readonly domain = "stand-in.ts.net";
  /** The policy file, with comments. */
  policy = NEW_TAILNET_POLICY;
  /** Whether devices wait for somebody's approval, whatever their key says. */
  holdApprovals = false;
  /** Whether a tag switches key expiry off, as Tailscale does. */
  tagsNeverExpire = true;
  #made = 0;

  /** The next id: unlike in a list, one is never used twice. */
  nextId(): number {
    return ++this.#made;
  }

  /** ETag of the policy file. */
  get etag(): string {
    return `"${createHash("sha256").update(this.policy).digest("hex")}"`;
  }

  get #file(): PolicyFile {
    return (parse(this.policy, [], { allowTrailingComma: true }) ?? {}) as PolicyFile;
  }

  /** Whether the policy file lets anybody give this tag. */
  knowsTag(tag: string): boolean {
    return this.#file.tagOwners?.[tag] !== undefined;
  }

  /** Makes a key. */
  makeKey(given: Pick<TailnetKey, "description" | "tags" | "preauthorized" | "reusable">, seconds: number): TailnetKey {
    const id = `k${this.nextId()}StandInCNTRL`;
    const created = this.clock.now();
    const secret = `tskey-auth-${id}-${randomBytes(16).toString("hex")}`;
    const key = { ...given, id, key: secret, created, expires: created + seconds * 1000, used: false };
    this.keys.set(id, key);
    return key;
  }

  /**
   * What `tailscale up` does with a key on a host that is in no tailnet.
   * @returns the device, or what the command prints when it is refused
   */
  join({ key: text, hostname, routes = [] }: { key: string; hostname: string; routes?: readonly string[] }) {
    const key = [...this.keys.values()].find((entry) => entry.key === text);
    if (key === undefined) return "backend error: invalid key: API key does not exist";
    // The same words for a used and for an expired one: https://github.com/tailscale/tailscale/issues/9715
    if ((key.used && !key.reusable) || key.expires <= this.clock.now()) {
      return `backend error: invalid key: API key ${key.id} not valid`;
    }
    key.used = true;
    const [number, created] = [this.nextId(), this.clock.now()];
    const device: TailnetDevice = {
      id: `n${number}StandInCNTRL`,
      hostname,
      name: this.#freeName(hostname.toLowerCase()),
      address: `100.100.${number >> 8}.${number & 255}`,
      created,
      tags: key.tags,
      authorized: key.preauthorized && !this.holdApprovals,
      online: true,
      lastSeen: created,
      keyExpiryDisabled: this.tagsNeverExpire && key.tags.length > 0,
      expires: created + HALF_A_YEAR,
      advertised: [],
      enabled: [],
    };
    this.devices.set(device.id, device);
    this.advertise(device, routes);
    return device;
  }

  /** What `tailscale set --advertise-routes` does: routes that the policy file approves for a tag of the device are. */
  advertise(device: TailnetDevice, routes: readonly string[]): void {
    const approvers = Object.entries(this.#file.autoApprovers?.routes ?? {});
    const approved = (route: string): boolean =>
      device.enabled.includes(route) ||
      approvers.some(([whole, who]) => cidrContains(whole, route) && who.some((tag) => device.tags.includes(tag)));
    device.advertised = routes;
    device.enabled = routes.filter(approved);
  }

  /** What `tailscale logout`, or a host that is gone, does: the device stays, and is not connected. */
  leave(device: TailnetDevice): void {
    device.online = false;
    device.lastSeen = this.clock.now();
  }

  /** The first name that is free: `tokyo-a`, `tokyo-a-1`, … */
  #freeName(base: string): string {
    const taken = new Set([...this.devices.values()].map(({ name }) => name));
    for (let number = 0; ; number++) {
      const name = number === 0 ? base : `${base}-${number}`;
      if (!taken.has(name)) return name;
    }
  }
}
