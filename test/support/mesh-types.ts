import { setTimeout as sleep } from "node:timers/promises";
import { connectMesh } from "../../provider/control/connect.ts";
import { meshProvider } from "../../provider/mesh-provider.ts";
import type { Values } from "../../provider/protocol/wire.ts";
import { Lived } from "./mesh-operation.ts";

/** What {@link meshTypes} makes resources with. */
export interface MeshTypesOptions {
  /** The provider's configuration, asked for anew by every operation: a test may take a credential away. */
  readonly configuration: () => Values;
  /** Milliseconds since 1970. @default the clock */
  readonly now?: () => number;
}

/** Between two looks at the mesh: long enough for somebody else to act. */
const pause = (signal: AbortSignal): Promise<void> => sleep(10, undefined, { signal });

/** The provider's resource types without an engine: a function that makes a resource by the name of its type. */
export function meshTypes({ configuration, now = Date.now }: MeshTypesOptions) {
  const { types } = meshProvider({ connect: () => connectMesh(configuration(), {}), now, pause });
  const typed = (name: string) => types.find(({ token }) => token === `hybrid-k3s-mesh:index:${name}`);
  return { typed, lived: (name: string): Lived => new Lived(typed(name)) };
}

/** All that a resource said, noted and warned of. */
export const heardFrom = ({ heard }: Lived): string => (Object.values(heard) as string[][]).flat().join("\n");

/** What goes wrong in some work, in words. */
export const wordsOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "nothing went wrong",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
