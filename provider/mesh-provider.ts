import { setTimeout as sleep } from "node:timers/promises";
import { checkConfiguration, connectMesh, type MeshConnection } from "./control/connect.ts";
import type { Operation, Provider } from "./protocol/resource-type.ts";
import type { Values } from "./protocol/wire.ts";
import type { ResourceContext } from "./resources/context.ts";
import { deviceType } from "./resources/device.ts";
import { joinKeyType } from "./resources/join-key.ts";
import { netbirdTypes } from "./resources/netbird.ts";
import { tailnetPolicyType } from "./resources/tailnet-policy.ts";

/** How long is waited between two looks at the mesh. */
const POLL_MILLISECONDS = 3000;

/** What the provider works with; all of it has a default that is right outside of tests and rehearsals. */
export interface MeshProviderOptions {
  /** Opens the control plane that a configuration names. @default the real one, with credentials of the environment */
  readonly connect?: (configuration: Values) => MeshConnection;
  /** Milliseconds since 1970. @default the clock */
  readonly now?: () => number;
  /** Lets time pass between two looks at the mesh. @default three seconds by the clock */
  readonly pause?: (signal: AbortSignal) => Promise<void>;
}

/** Name of the package, and of the plugin after `pulumi-resource-`. */
export const MESH_PACKAGE = "hybrid-k3s-mesh";

/** The provider of the mesh's control planes: Tailscale, headscale and NetBird behind one interface. */
export function meshProvider(options: MeshProviderOptions = {}): Provider {
  const real = (configuration: Values): MeshConnection => connectMesh(configuration, process.env);
  const { connect = real, now = Date.now } = options;
  // One connection per provider instance: its access tokens last for many requests.
  const connections = new WeakMap<Values, MeshConnection>();
  const context: ResourceContext = {
    connect: ({ configuration }: Operation) => {
      const connection = connections.get(configuration) ?? connect(configuration);
      connections.set(configuration, connection);
      return connection;
    },
    now,
    pause: options.pause ?? ((signal) => sleep(POLL_MILLISECONDS, undefined, { signal })),
  };
  return {
    name: MESH_PACKAGE,
    version: "0.1.0",
    types: [joinKeyType(context), deviceType(context), tailnetPolicyType(context), ...netbirdTypes(context)],
    checkConfiguration,
    // Another address or credential is the same mesh; another kind of control plane is another mesh.
    replacesProvider: (olds, news) => (olds["control"] === news["control"] ? [] : ["control"]),
  };
}
