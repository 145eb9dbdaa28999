import type { MeshDevice } from "../../../provider/control/control.ts";
import { sameName, suffixed } from "../../../provider/resources/context.ts";
import type { Evidence, NodeView } from "../evidence.ts";
import type { Finding } from "../finding.ts";

const seen = ({ online, lastSeen }: MeshDevice): string => {
  if (online === true) return ", connected";
  return lastSeen === undefined ? "" : `, last seen ${lastSeen.toISOString().slice(0, 16).replace("T", " ")} UTC`;
};
const described = (device: MeshDevice): string => `${device.name} (${device.address}, id ${device.id}${seen(device)})`;

/** What the control plane says of one node. */
function nodeFindings({ node: { name }, facts }: NodeView, list: readonly MeshDevice[], tag: string): Finding[] {
  const finding = (text: string, fix: string): Finding[] => [
    { check: "devices", node: name, text: `${name}: ${text}`, fix },
  ];
  const device = list.find((one) => sameName(one.name, name));
  if (device?.waitsForApproval === true) {
    return finding(
      `its device ${described(device)} waits for somebody to let it in`,
      "approve it in the mesh's control plane",
    );
  }
  if (device?.tags.includes(tag) === true) return [];
  if (device !== undefined) {
    return finding(
      `its device ${described(device)} does not carry ${tag}: found ${device.tags.length === 0 ? "nothing" : device.tags.join(", ")}`,
      `give it ${tag} in the mesh's control plane; if it is no machine of the region's, remove it and raise the generation of ${name}`,
    );
  }
  // The host's own client says that it has another name: that is a finding of the host.
  if (
    facts?.client?.name !== undefined &&
    suffixed(list, name).some((one) => sameName(one.name, facts.client?.name ?? ""))
  ) {
    return [];
  }
  return finding(
    "it is a node without a device: the mesh's control plane has none of its name",
    `raise the generation of ${name} and pulumi up: it joins anew`,
  );
}

/** Devices that carry the region's tag and are nobody's. */
function strayFindings({ nodes }: Evidence, list: readonly MeshDevice[], tag: string): Finding[] {
  const known = nodes.flatMap(({ node, facts }) => [node.name, facts?.client?.name ?? ""]);
  return list
    .filter((device) => device.tags.includes(tag) && !known.some((name) => sameName(name, device.name)))
    .map((device) => ({
      check: "devices",
      text: `${described(device)} carries ${tag} and is a device without a node`,
      fix: "if nobody knows it, remove it from the mesh's control plane: it may reach every node of the region",
    }));
}

/** Nodes without a device, and devices without a node. */
export function checkDevices(evidence: Evidence): Finding[] {
  const { devices, expectations, nodes } = evidence;
  const tag = expectations.mesh?.tag;
  if (devices === undefined || "notLookedAt" in devices || tag === undefined) return [];
  return [
    ...nodes.flatMap((view) => nodeFindings(view, devices.list, tag)),
    ...strayFindings(evidence, devices.list, tag),
  ];
}
