import type { Host } from "./host.ts";

/** A VM of a Lima host. */
export interface LimaVm {
  /** What its configuration says of who made it. */
  readonly owner: string;
  readonly host: Host;
  /** CPUs, GiB of memory, GiB of disk. */
  size: readonly [number, number, number];
}

/** What a computer has of Lima: a scenario sets it. */
export interface LimaHost {
  /** undefined: limactl is not installed. */
  version: string | undefined;
  socketVmnet: boolean;
  readonly vms: Map<string, LimaVm>;
  /** Names of Lima disks. */
  readonly disks: Set<string>;
}

/** Every computer with Lima; `here` is the one that runs Pulumi. */
export class LimaHosts {
  readonly #hosts = new Map<string, LimaHost>();
  #addresses = 20;

  /** The computer of this name; it has everything until a scenario takes it away. */
  get(name: string): LimaHost {
    const found = this.#hosts.get(name);
    if (found !== undefined) return found;
    const host: LimaHost = { version: "2.2.0", socketVmnet: true, vms: new Map(), disks: new Set() };
    this.#hosts.set(name, host);
    return host;
  }

  /** An address that no other VM has; `third` is the third number of the network. */
  address(third: number): string {
    return `192.168.${third}.${++this.#addresses}`;
  }
}
