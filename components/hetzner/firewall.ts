import * as hcloud from "@pulumi/hcloud";
import type * as pulumi from "@pulumi/pulumi";
import { digest } from "../host/script-file.ts";
import { publicPortsOf } from "../network/public-port.ts";
import { publicRules, type PublicAccess } from "../network/public-rules.ts";

/** Label by which a firewall finds its servers. */
export const ACCESS_LABEL = "hybrid-k3s/access";

/**
 * What tells one set of rules from another; the value of {@link ACCESS_LABEL}. Ports of the settings are in it by their
 * digest: a label's value is short. What all servers of a site share is not in it.
 */
export function accessOf({ role, ingress, publicPorts = [] }: PublicAccess): string {
  const ports = publicPortsOf(publicPorts).map(({ port, protocol }) => `${port}/${protocol}`);
  return [role, ...(ingress ? ["ingress"] : []), ...(ports.length === 0 ? [] : [digest(ports.join(" "))])].join("-");
}

/** Rules of a Hetzner firewall. What no rule lets in stays out; everything may go out. */
export const firewallRules = (access: PublicAccess) =>
  publicRules(access).map(({ protocol, port, from, from6 }) => ({
    direction: "in",
    protocol,
    port: String(port),
    sourceIps: [...from, ...from6],
    description: `hybrid-k3s ${port}${protocol === "tcp" ? "" : `/${protocol}`}`,
  }));

/** Arguments of {@link firewall}. */
export interface FirewallSettings {
  /** Name in the project. */
  readonly name: string;
  readonly access: PublicAccess;
  readonly labels: Readonly<Record<string, string>>;
  /** Label selector of the servers of the site. */
  readonly selector: string;
}

/**
 * A firewall of all servers of a site that have the same rules. It finds them by label, so that a server is behind it from its first
 * moment, and a changed range is one edit in place for all of them. It filters what comes from outside only, never the
 * private network. https://docs.hetzner.com/cloud/firewalls/overview
 */
export const firewall = (
  logicalName: string,
  { name, access, labels, selector }: FirewallSettings,
  options: pulumi.CustomResourceOptions,
): hcloud.Firewall =>
  new hcloud.Firewall(
    logicalName,
    {
      name,
      rules: firewallRules(access),
      applyTos: [{ labelSelector: `${selector},${ACCESS_LABEL}=${accessOf(access)}` }],
      labels: { ...labels },
    },
    options,
  );
