import type { ExpectedNode } from "../evidence.ts";
import { judged, type NodeCheck } from "../finding.ts";

/** The systemd unit of a node's k3s. */
export const k3sUnit = ({ role }: Pick<ExpectedNode, "role">): string => (role === "server" ? "k3s" : "k3s-agent");

const fixOf = (unit: string, state: string): string => {
  if (state === "not-found") return "pulumi up installs it; on a host that lost its disk, raise the node's generation";
  return `journalctl -u ${unit} -n 50 on the host says why; systemctl start ${unit} starts it`;
};

/** Whether a node's k3s runs. Whether the node is Ready is the cluster's to say. */
export const checkK3s: NodeCheck = ({ node, facts }) => {
  if (facts === undefined) return undefined;
  const unit = k3sUnit(node);
  const state = facts.units[unit] ?? "unknown";
  if (state === "active") return judged([], `${unit} active`);
  const text = `${node.name}: k3s does not run: found ${unit}.service ${state} · allowed active`;
  return judged([{ check: "k3s", node: node.name, text, fix: fixOf(unit, state) }], "");
};
