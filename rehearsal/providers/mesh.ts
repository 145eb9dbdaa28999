import { setTimeout as sleep } from "node:timers/promises";
import { meshProvider } from "../../provider/mesh-provider.ts";
import type { World } from "../world/world.ts";
import type { StandIn } from "./stand-in.ts";

/** Seconds that pass between two looks of the provider at its mesh. */
const POLL_SECONDS = 3;

/** The project's own provider of meshes, as it is, with the world's control servers in place of the real ones. */
export const meshOf = (world: World): StandIn =>
  meshProvider({
    connect: (configuration) => world.mesh.connect(configuration),
    now: () => world.mesh.now(),
    pause: async (signal) => {
      await sleep(1, undefined, { signal });
      world.mesh.advance(POLL_SECONDS);
    },
  });
