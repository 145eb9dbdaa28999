import type { Taint } from "../../components/machine.ts";
import { isLabelKey, isLabelValue } from "../../components/network/names.ts";
import type { Rule } from "../../components/strict-schema.ts";

/** Labels that this program, k3s or the kubelet sets: two writers of one label would overwrite each other for ever. */
const TAKEN = new Set([
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "kubernetes.io/hostname",
  "kubernetes.io/arch",
  "kubernetes.io/os",
  "node.kubernetes.io/instance-type",
]);

/** The settings that set a label; not every kind of site has each of them. */
const SET_BY: Readonly<Record<string, string>> = {
  "topology.kubernetes.io/zone": "; the zone setting sets this one, where its kind of site has it",
  "hybrid-k3s.io/intermittent":
    "; the intermittent setting of a pool sets this one, on sites of kind existing and lima",
};

/** Prefixes whose labels this program and k3s set, with all below them. */
const OURS = ["hybrid-k3s", "hybrid-k3s.io", "k3s.cattle.io", "k3s.io"];

/** The only prefixes of Kubernetes's own that a kubelet may give its node a label under. */
const KUBELET_MAY = ["kubelet.kubernetes.io", "node.kubernetes.io"];

const isOf = (prefix: string, domain: string): boolean => prefix === domain || prefix.endsWith(`.${domain}`);

/** Why a key cannot be a label of the user, or undefined if it can. */
export function labelKeyRule(key: string): Rule | undefined {
  if (!isLabelKey(key)) {
    return {
      allowed: "a label key such as tier or example.com/tier",
      fix: "use letters, digits, -, _ and ., with at most one / behind a DNS name",
    };
  }
  const prefix = key.includes("/") ? (key.split("/")[0] ?? "") : "";
  if (TAKEN.has(key) || OURS.some((domain) => isOf(prefix, domain))) {
    const setting = Object.hasOwn(SET_BY, key) ? SET_BY[key] : "";
    return {
      allowed: "a label that neither hybrid-k3s nor k3s sets",
      fix: `remove it, or use a key of your own${setting ?? ""}`,
    };
  }
  const kubernetes = isOf(prefix, "kubernetes.io") || isOf(prefix, "k8s.io");
  if (kubernetes && !KUBELET_MAY.some((domain) => isOf(prefix, domain))) {
    return {
      allowed: "a label that a kubelet may set: no other prefix under kubernetes.io or k8s.io",
      fix: "use a prefix of your own, such as example.com/",
    };
  }
  return undefined;
}

const TAINT = /^(?<key>[^=:]+)(?:=(?<value>[^=:]*))?:(?<effect>NoSchedule|PreferNoSchedule|NoExecute)$/;

/** Reads a taint as kubectl writes it: `key=value:effect` or `key:effect`; undefined if the text is not one. */
export function parseTaint(text: string): Taint | undefined {
  const groups = TAINT.exec(text)?.groups;
  const { key = "", value = "", effect } = groups ?? {};
  if (!isLabelKey(key) || !isLabelValue(value)) return undefined;
  return { key, value, effect: effect as Taint["effect"] };
}
