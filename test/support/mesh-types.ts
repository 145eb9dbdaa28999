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
  /** Seconds between two looks at the mesh. @default 0.01 */
  readonly pollSeconds?: number;
}

/** The provider's resource types without an engine: a function that makes a resource by the name of its type. */
export function meshTypes({ configuration, now = Date.now, pollSeconds = 0.01 }: MeshTypesOptions) {
  const { types } = meshProvider({ connect: () => connectMesh(configuration(), {}), now, pollSeconds });
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
