import type { Values } from "../../provider/protocol/wire.ts";
import type { Project } from "./hcloud-project.ts";
import type { Operation, StandInType } from "./stand-in.ts";
import { textOf } from "./values.ts";

/** A resource that has a name and nothing that others look at. */
export function plainType(
  project: Project,
  kind: string,
  type: Omit<StandInType, "create" | "delete">,
  life: { readonly begin?: (operation: Operation, id: string) => Values; readonly end?: (id: string) => void } = {},
): StandInType {
  return {
    ...type,
    create: (operation) => {
      const id = project.claim(kind, textOf(operation.inputs["name"]));
      try {
        return Promise.resolve({ id, outputs: life.begin?.(operation, id) ?? {} });
      } catch (error) {
        project.release(id);
        throw error;
      }
    },
    delete: ({ id }) => {
      life.end?.(id);
      project.release(id);
      return Promise.resolve();
    },
  };
}
