import type { LabPlan } from "./lab.ts";

/** Two sites that nothing else on a usual machine uses. */
export const SITES = { tokyo: { lan: "10.213.1.0/24" }, home: { lan: "10.213.2.0/24" } } as const;

/** Servers `server-a`, `server-b`… in tokyo and agents `agent-a`… in home. */
export function labPlan(servers: number, agents: number): LabPlan {
  const letters = "abcdefgh";
  return {
    sites: SITES,
    hosts: [
      ...Array.from({ length: servers }, (_, index) => ({
        name: `server-${letters[index] ?? index}`,
        site: "tokyo",
        address: `10.213.1.${11 + index}`,
      })),
      ...Array.from({ length: agents }, (_, index) => ({
        name: `agent-${letters[index] ?? index}`,
        site: "home",
        address: `10.213.2.${11 + index}`,
      })),
    ],
  };
}
