import * as pulumi from "@pulumi/pulumi";
import type { Machine } from "../machine.ts";
import { present } from "../present.ts";
import { MESH_INTERFACES } from "./interfaces.ts";
import type { MeshArgs } from "./mesh-args.ts";
import type { NetbirdSettings } from "./mesh-settings.ts";
import type { Member, Mesh, PreparedHost } from "./mesh.ts";
import { Membership } from "./membership.ts";
import { netbirdPolicies } from "./netbird-policies.ts";
import { netbirdRoute } from "./netbird-route.ts";
import { nodeClient } from "./node-client.ts";
import { MeshProvider } from "./resources/mesh-provider.ts";
import { MESH_SCRIPTS } from "./scripts.ts";

const TYPE = "hybrid-k3s:mesh:Netbird";

/** A region's place in a NetBird network: its groups and policies, and the way of every machine into it. */
export class NetbirdMesh extends pulumi.ComponentResource implements Mesh {
  readonly interface = MESH_INTERFACES.netbird;
  readonly port: number;
  readonly invite: Mesh["invite"];
  readonly #args: MeshArgs<NetbirdSettings>;
  readonly #provider: MeshProvider;
  readonly #policies: readonly pulumi.Resource[];
  readonly #membership: Membership;
  /** Peers by machine name: a route names the peer that it leads to. */
  readonly #members = new Map<string, Member>();

  constructor(name: string, args: MeshArgs<NetbirdSettings>, options?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, options);
    const { region, settings, credentials, login, connectSeconds } = args;
    this.#args = args;
    this.port = settings.port;
    this.#provider = new MeshProvider(
      `${name}-control`,
      present({ control: "netbird" as const, url: settings.url, token: credentials.token }),
      { parent: this },
    );
    this.#policies = netbirdPolicies(name, settings, { parent: this, provider: this.#provider });
    this.#membership = new Membership({
      region,
      provider: this.#provider,
      after: this.#policies,
      tags: [settings.group],
      keyLifetimeSeconds: settings.keyLifetimeSeconds,
      client: {
        provider: "netbird",
        version: settings.version,
        packages: settings.packages,
        port: settings.port,
        loginServer: settings.url,
      },
      script: MESH_SCRIPTS.netbirdJoin,
      serverParameter: "MANAGEMENT_URL",
      login,
      firstRules: args.firstRules,
      connectSeconds,
    });
    this.invite = this.#membership.invite;
    this.registerOutputs({});
  }

  readonly member: Mesh["member"] = (spec, invitation, id, options) =>
    this.noted(spec.name, this.#membership.member(spec, invitation, id, options));

  readonly join: Mesh["join"] = (host, options) => this.noted(host.spec.name, this.#membership.join(host, options));

  readonly converge = (machine: Machine, options: pulumi.CustomResourceOptions): PreparedHost => {
    const { settings, sites } = this.#args;
    const client = { script: MESH_SCRIPTS.netbirdNode, parameters: { MANAGEMENT_URL: settings.url } };
    const prepared = nodeClient(machine, this.#args, client, options);
    const { name, site } = machine.spec;
    const member = this.#members.get(name);
    if (member === undefined) throw new Error(`${name} is prepared before it is in the mesh`);
    if (sites.find((entry) => entry.name === site)?.carriesLan !== true) return prepared;
    const route = netbirdRoute(
      name,
      { region: this.#args.region, group: settings.group, address: machine.address, peer: member.deviceId },
      pulumi.mergeOptions(options, { provider: this.#provider, dependsOn: [...this.#policies] }),
    );
    return { ...prepared, resources: [...route, ...prepared.resources] };
  };

  private noted(name: string, member: Member): Member {
    this.#members.set(name, member);
    return member;
  }
}
