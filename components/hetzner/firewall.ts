import * as hcloud from "@pulumi/hcloud";
import type * as pulumi from "@pulumi/pulumi";
import type { Role } from "../machine.ts";
import { publicRules } from "../network/public-rules.ts";

/** Label by which a firewall finds its servers. */
export const ACCESS_LABEL = "hybrid-k3s/access";

/** What tells one set of rules from another; the value of {@link ACCESS_LABEL}. */
export const accessOf = (role: Role, ingress: boolean): string => (ingress ? `${role}-ingress` : role);

/** Rules of a Hetzner firewall. What no rule lets in stays out; everything may go out. */
export const firewallRules = (role: Role, ingress: boolean, accessFrom: readonly string[]) =>
  publicRules(role, ingress, accessFrom).map(({ protocol, port, from, from6 }) => ({
    direction: "in",
    protocol,
    port: String(port),
    sourceIps: [...from, ...from6],
    description: `hybrid-k3s ${port}`,
  }));

/** Arguments of {@link firewall}. */
export interface FirewallSettings {
  /** Name in the project. */
  readonly name: string;
  readonly role: Role;
  readonly ingress: boolean;
  readonly accessFrom: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Label selector of the servers of the site. */
  readonly selector: string;
}

/**
 * A firewall of all servers of one role of a site. It finds them by label, so that a server is behind it from its first
 * moment, and a changed range is one edit in place for all of them. It filters what comes from outside only, never the
 * private network. https://docs.hetzner.com/cloud/firewalls/overview
 */
export const firewall = (
  logicalName: string,
  { name, role, ingress, accessFrom, labels, selector }: FirewallSettings,
  options: pulumi.CustomResourceOptions,
): hcloud.Firewall =>
  new hcloud.Firewall(
    logicalName,
    {
      name,
      rules: firewallRules(role, ingress, accessFrom),
      applyTos: [{ labelSelector: `${selector},${ACCESS_LABEL}=${accessOf(role, ingress)}` }],
      labels: { ...labels },
    },
    options,
  );
