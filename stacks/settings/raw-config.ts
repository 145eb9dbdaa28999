import type { Rule } from "../../components/strict-schema.ts";

const because = (reason: string): Rule => ({ allowed: `any key but this one: ${reason}`, fix: "remove it" });
const instead = (reason: string, setting: string): Rule => ({
  allowed: `any key but this one: ${reason}`,
  fix: `remove it and use ${setting}`,
});

const TOKEN = because("the cluster's tokens are made and kept in the stack's state");
const JOIN = because("each server finds out at run time whether to start the cluster or to join it");
const RESET = because("it would throw etcd's members away on every restart");
const NODE = instead("a machine's name and address are its identity", "sites");
const RANGE = instead("ranges are checked against those of all regions", "pods and services in regions.yaml");
const LABEL = instead("they apply at first registration only", "labels and taints of a pool or machine");
const ETCD = because("servers keep their data in the embedded etcd, and memberships follow it");
const PART = because("a server without this part never becomes a Ready node of the control plane");
const PLACE = because("the scripts find k3s at its default places and ports");
const VPN = because("it moves etcd onto the VPN, and stopping k3s then cuts the mesh");

/** Keys of k3s's config.yaml that would break the cluster, with the short forms that k3s also reads. */
const REFUSED: Readonly<Record<string, Rule>> = {
  token: TOKEN,
  t: TOKEN,
  "token-file": TOKEN,
  "agent-token": TOKEN,
  "agent-token-file": TOKEN,
  server: JOIN,
  s: JOIN,
  "cluster-init": JOIN,
  "cluster-reset": RESET,
  "cluster-reset-restore-path": RESET,
  "node-name": NODE,
  "with-node-id": NODE,
  "node-ip": NODE,
  "cluster-cidr": RANGE,
  "service-cidr": RANGE,
  "node-label": LABEL,
  "node-taint": LABEL,
  "datastore-endpoint": ETCD,
  "disable-etcd": ETCD,
  "disable-agent": PART,
  "disable-apiserver": PART,
  "disable-controller-manager": PART,
  "disable-scheduler": PART,
  "data-dir": PLACE,
  d: PLACE,
  "https-listen-port": PLACE,
  "write-kubeconfig": PLACE,
  o: PLACE,
  "vpn-auth": VPN,
  "vpn-auth-file": VPN,
};

/** Why a key of k3s's config.yaml cannot be set by hand, or undefined if it can. `key+` appends to a list in k3s. */
export const rawConfigRule = (key: string): Rule | undefined => {
  const name = key.replace(/\+$/, "");
  return Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
};
