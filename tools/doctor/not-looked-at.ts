import type { Evidence } from "./evidence.ts";

/** Something that nobody looked at, and why. It is no finding. */
export interface NotLookedAt {
  readonly what: string;
  readonly why: string;
}

/** What could not be looked at, beside what the findings say already. */
export function notLookedAt({ expectations, devices, nodes }: Evidence): NotLookedAt[] {
  const { mesh, sites } = expectations;
  const list: NotLookedAt[] = [];
  if (mesh !== undefined && devices !== undefined) {
    const what = "devices without a node and nodes without a device";
    if ("notLookedAt" in devices) list.push({ what, why: devices.notLookedAt });
    else if (mesh.tag === undefined)
      list.push({ what, why: "the settings do not say which tag or group the region's devices carry" });
  }
  for (const { node, facts } of nodes) {
    if (facts !== undefined && facts.missing.length > 0) {
      const why = `the host has no ${facts.missing.join(", no ")} · fix: install iputils-ping, iproute2 and coreutils there`;
      list.push({ what: `${node.name}: all that these tell`, why });
    }
    if (facts !== undefined && facts.clock === undefined) {
      list.push({ what: `${node.name}: its clock`, why: "the host did not tell the time when it was asked" });
    }
    if (mesh !== undefined && sites[node.site] === undefined) {
      list.push({ what: `${node.name}: its routes`, why: `the settings have no site ${node.site} any more` });
    }
  }
  return list;
}
