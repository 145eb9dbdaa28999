import type * as pulumi from "@pulumi/pulumi";
import type { NetbirdSettings } from "./mesh-settings.ts";
import { lanGroup } from "./netbird-route.ts";
import { NetbirdGroup } from "./resources/netbird-group.ts";
import { NetbirdPolicy, type NetbirdPolicyRule } from "./resources/netbird-policy.ts";

type Rule = Pick<NetbirdPolicyRule, "protocol" | "bidirectional" | "sources" | "destinations" | "ports">;

/**
 * The groups of a region, and the least that its nodes need: they reach each other, on their addresses in the mesh and on
 * the LANs' addresses behind them, and operators reach SSH and the API. Nothing else is let in.
 *
 * One rule a policy: NetBird's own pages edit the first rule of a policy alone.
 * @returns what must stand before a machine may join
 */
export function netbirdPolicies(
  name: string,
  { group, operators }: NetbirdSettings,
  options: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
  const lans = lanGroup(group);
  const groups = [new NetbirdGroup(`${name}-group`, { name: group }, options)];
  groups.push(new NetbirdGroup(`${name}-lan-group`, { name: lans }, options));
  const policy = (suffix: string, rule: Rule): NetbirdPolicy => {
    const title = `${group} ${suffix}`;
    const rules = [{ name: title, enabled: true, action: "accept" as const, ...rule }];
    return new NetbirdPolicy(
      `${name}-${suffix.replaceAll(" ", "-")}`,
      { name: title, description: "written by hybrid-k3s", enabled: true, rules },
      { ...options, dependsOn: groups },
    );
  };
  const nodes = { sources: [group], protocol: "all" as const };
  const people = { sources: [...operators], bidirectional: false, destinations: [group, lans] };
  return [
    ...groups,
    policy("nodes", { ...nodes, bidirectional: true, destinations: [group] }),
    policy("lans", { ...nodes, bidirectional: false, destinations: [lans] }),
    policy("operators", { ...people, protocol: "tcp", ports: ["22", "6443"] }),
    policy("operators ping", { ...people, protocol: "icmp" }),
  ];
}
