import type { MachineSpec } from "../machine.ts";
import { RELAY_PORT } from "./relay-port.ts";

/** Ports of a machine that the world may connect to beside those of `ingress` and of the mesh itself, such as `25565/tcp`. */
export const openPorts = ({ publicPorts = [], relay }: MachineSpec): readonly string[] => [
  ...publicPorts,
  ...(relay === true ? [`${RELAY_PORT}/udp`] : []),
];
