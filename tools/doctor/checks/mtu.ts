import type { Evidence, Expectations, ExpectedNode, NodeView } from "../evidence.ts";
import type { Finding, NodeCheck } from "../finding.ts";
import { isWell, judged } from "../finding.ts";
import { isLed, openWays, type OpenWay } from "../open-ways.ts";
import { k3sUnit } from "./k3s.ts";

const BRIDGE = "cni0";

/** Interfaces whose MTU follows from the settings. */
export const watchedInterfaces = ({ mesh, tunnel }: Expectations): string[] => [
  ...(mesh === undefined ? [] : [mesh.interface]),
  ...(tunnel === undefined ? [] : [tunnel, BRIDGE]),
];

function interfaceFindings({ node, facts }: NodeView, { mesh, mtus, tunnel }: Expectations): Finding[] {
  if (facts === undefined) return [];
  const finding = (text: string, fix: string): Finding => ({
    check: "mtu",
    node: node.name,
    text: `${node.name}: ${text}`,
    fix,
  });
  const differs = (name: string, mtu: number, fix: string): Finding[] => {
    const found = facts.mtus[name];
    return found === undefined || found === mtu
      ? []
      : [finding(`the MTU of ${name}: found ${found} · allowed ${mtu}`, fix)];
  };
  const unit = k3sUnit(node);
  const runs = facts.units[unit] === "active";
  return [
    ...(mesh === undefined || mtus.meshMtu === undefined
      ? []
      : differs(
          mesh.interface,
          mtus.meshMtu,
          `who set it? take it out (${mesh.provider === "tailscale" ? "TS_DEBUG_MTU in /etc/default/tailscaled" : "the client's --mtu"}), then restart the client on the host`,
        )),
    ...(tunnel === undefined || !runs
      ? []
      : [
          ...differs(
            tunnel,
            mtus.pods,
            `pulumi up writes flannel's settings; then systemctl restart ${unit} on the host`,
          ),
          ...differs(
            BRIDGE,
            mtus.pods,
            "drain the node and reboot its host: a bridge and its pods keep the MTU that they were made with",
          ),
          ...(facts.mtus[tunnel] === undefined
            ? [
                finding(
                  `${tunnel} is not there, though k3s runs`,
                  `journalctl -u ${unit} on the host, flannel's lines; then systemctl restart ${unit}`,
                ),
              ]
            : []),
        ]),
  ];
}

const PLACES = { lan: "over the LAN", routed: "by routing", mesh: "through the mesh" } as const;

function largeFix({ way }: OpenWay, { mtus, mesh }: Expectations): string {
  if (way.over === "mesh") {
    return `on both hosts ${mesh?.interface ?? "the mesh's interface"} must have MTU ${mtus.meshMtu ?? mtus.underlay}, and the way outside must carry the mesh's own packets of ${mtus.carrier ?? mtus.underlay} bytes: try ping -M do -s ${(mtus.carrier ?? mtus.underlay) - 28} to the other side's outer address, and raise the MTU where it stops`;
  }
  return `every interface on the way must have an MTU of ${way.large?.bytes ?? mtus.underlay} or more: ip link show on both hosts, then the switches and routers between`;
}

function largeFindings(node: ExpectedNode, ways: readonly OpenWay[], expectations: Expectations): Finding[] {
  return ways.flatMap((open): Finding[] => {
    const { way, to } = open;
    if (way.large === undefined || way.large.passes || !isLed(open)) return [];
    const { bytes, limit } = way.large;
    const told = limit === undefined ? "" : `, ${limit} would`;
    const text = `${node.name}: a packet of ${bytes} bytes does not pass to ${way.to} (${to.node.address}) of site ${to.node.site} ${PLACES[way.over]}, small ones do${told}`;
    return [{ check: "mtu", node: node.name, text, fix: largeFix(open, expectations) }];
  });
}

/** Whether interfaces have the MTU that the settings lead to, and packets of that size pass. */
export const checkMtu: NodeCheck = (view, evidence: Evidence) => {
  const { node, facts } = view;
  if (facts === undefined) return undefined;
  const ways = openWays(view, evidence);
  const findings = [
    ...interfaceFindings(view, evidence.expectations),
    ...largeFindings(node, ways, evidence.expectations),
  ];
  if (findings.length > 0) return judged(findings, "");
  const { tunnel, mtus } = evidence.expectations;
  const tried = ways.filter(({ way }) => way.large !== undefined).length;
  const words = [
    ...(tunnel !== undefined && facts.mtus[tunnel] !== undefined ? [`${tunnel} ${mtus.pods}`] : []),
    ...(tried === 0 ? [] : [`${mtus.underlay} bytes pass`]),
  ];
  return words.length === 0 ? undefined : isWell(words.join(", "));
};
