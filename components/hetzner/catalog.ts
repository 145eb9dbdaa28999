import type { Distribution } from "../bootstrap/user-data.ts";
import recorded from "./server-types.json" with { type: "json" };

/** What a server's processor understands, in the API's words. */
export type Architecture = "x86" | "arm";

/** What a server type is. */
export interface ServerType {
  readonly cpus: number;
  /** GiB. */
  readonly memoryGiB: number;
  /** Size of the system disk. GiB. */
  readonly diskGiB: number;
  readonly architecture: Architecture;
  /** Where it is offered at all; whether one can be had today is the API's to say. */
  readonly locations: readonly string[];
  /** Euros a month without VAT and without a public IPv4 address. An estimate: the API knows what your project pays. */
  readonly monthlyEur: number;
}

/** Server types by name. `npm run pin` writes the file anew where the API can be asked. */
const SERVER_TYPES = recorded.types as Readonly<Record<string, ServerType>>;

/** Names of all server types, family by family. */
export const serverTypeNames: readonly string[] = Object.keys(SERVER_TYPES);

/** A server type by name; undefined if there is none. */
export const serverTypeOf = (name: string): ServerType | undefined => SERVER_TYPES[name];

/** What an image is, and what it runs on. Every one is logged in to as root. */
export interface Image {
  readonly distribution: Distribution;
  readonly architectures: readonly Architecture[];
}

/** Login user of every image. https://docs.hetzner.com/cloud/servers/getting-started/connecting-to-the-server */
export const LOGIN_USER = "root";

/** Images by name, as `hcloud image list` names them. */
export const IMAGES: Readonly<Record<string, Image>> = {
  "debian-12": { distribution: "debian-12", architectures: ["x86", "arm"] },
  "debian-13": { distribution: "debian-13", architectures: ["x86", "arm"] },
  "ubuntu-24.04": { distribution: "ubuntu-24.04", architectures: ["x86", "arm"] },
};

/**
 * What an image does not run on, if that is what the type has.
 * @returns the type's architecture, or undefined where the two go together or one of them is unknown
 */
export function mismatch(image: Image | undefined, type: ServerType | undefined): Architecture | undefined {
  if (image === undefined || type === undefined) return undefined;
  return image.architectures.includes(type.architecture) ? undefined : type.architecture;
}

/**
 * Network zones by location: a private network stands in one of them.
 * https://docs.hetzner.com/cloud/general/locations
 */
export const NETWORK_ZONES: Readonly<Record<string, string>> = {
  fsn1: "eu-central",
  nbg1: "eu-central",
  hel1: "eu-central",
  ash: "us-east",
  hil: "us-west",
  sin: "ap-southeast",
};
