import type { LoginKey } from "../bootstrap/login-key.ts";
import type { MachineSpec } from "../machine.ts";
import type { MeshCredentials } from "./mesh-settings.ts";
import type { MeshSite } from "./mesh-site.ts";

/** Arguments of a mesh, whichever it is. */
export interface MeshArgs<Settings> {
  readonly region: string;
  readonly settings: Settings;
  readonly credentials: MeshCredentials;
  readonly sites: readonly MeshSite[];
  /** The key that all machines take. */
  readonly login: Pick<LoginKey, "privateKey" | "previous">;
  /** What a machine's own firewall lets in from its first second on, as nftables text. @default it has no firewall */
  readonly firstRules: (spec: MachineSpec) => string | undefined;
  /** Seconds that a machine may take to boot and to answer on SSH. */
  readonly connectSeconds: number;
}
