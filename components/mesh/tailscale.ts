import * as pulumi from "@pulumi/pulumi";
import type { Machine } from "../machine.ts";
import { present } from "../present.ts";
import { MESH_INTERFACES } from "./interfaces.ts";
import type { MeshArgs } from "./mesh-args.ts";
import type { TailscaleSettings } from "./mesh-settings.ts";
import type { Mesh, PreparedHost } from "./mesh.ts";
import { keepsToLan } from "./mesh-site.ts";
import { Membership } from "./membership.ts";
import { nodeClient } from "./node-client.ts";
import { RELAY_PORT } from "./relay-port.ts";
import { MeshProvider } from "./resources/mesh-provider.ts";
import { TailnetPolicy } from "./resources/tailnet-policy.ts";
import { MESH_SCRIPTS } from "./scripts.ts";
import { tagOwners } from "./tag-owners.ts";
import { tailnetPolicy } from "./tailnet-policy.ts";

const TYPE = "hybrid-k3s:mesh:Tailscale";

/** Arguments of {@link TailscaleMesh}. */
export interface TailscaleMeshArgs extends MeshArgs<TailscaleSettings> {
  /** Whether a machine of the region relays for peers that find no direct path. */
  readonly relay: boolean;
  /** Interfaces of the pod network that the client's own packets must not leave by. */
  readonly closedToMesh: readonly string[];
}

/** A region's place on a tailnet: what its policy must hold, and the way of every machine into it. */
export class TailscaleMesh extends pulumi.ComponentResource implements Mesh {
  readonly interface = MESH_INTERFACES.tailscale;
  readonly port: number;
  readonly invite: Mesh["invite"];
  readonly member: Mesh["member"];
  readonly join: Mesh["join"];
  readonly #args: TailscaleMeshArgs;

  constructor(name: string, args: TailscaleMeshArgs, options?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, options);
    const { region, settings, login, connectSeconds } = args;
    this.#args = args;
    this.port = settings.port;
    const provider = this.controlServer(name);
    const membership = new Membership({
      region,
      provider,
      after: [this.policy(name, provider)],
      tags: [settings.tag],
      keyLifetimeSeconds: settings.keyLifetimeSeconds,
      client: present({
        provider: "tailscale" as const,
        version: settings.version,
        packages: settings.packages,
        port: settings.port,
        loginServer: settings.headscaleUrl,
      }),
      script: MESH_SCRIPTS.tailscaleJoin,
      serverParameter: "LOGIN_SERVER",
      login,
      firstRules: args.firstRules,
      connectSeconds,
    });
    this.invite = membership.invite;
    this.member = membership.member;
    this.join = membership.join;
    this.registerOutputs({});
  }

  readonly converge = (machine: Machine, options: pulumi.CustomResourceOptions): PreparedHost => {
    const relays = machine.spec.relay === true;
    const parameters = {
      SITE_RULE: keepsToLan(this.#args.sites, machine.spec.site) ? "yes" : "no",
      RELAY: relays ? "yes" : "no",
      RELAY_PORT: relays ? String(RELAY_PORT) : "",
      CLOSED_INTERFACES: this.#args.closedToMesh.join(" "),
    };
    return nodeClient(machine, this.#args, { script: MESH_SCRIPTS.tailscaleNode, parameters }, options);
  };

  private controlServer(name: string): MeshProvider {
    const { settings, credentials } = this.#args;
    const { apiKey, clientId, clientSecret, identityToken } = credentials;
    return new MeshProvider(
      `${name}-control`,
      present({
        control: settings.headscaleUrl === undefined ? ("tailscale" as const) : ("headscale" as const),
        url: settings.headscaleUrl ?? settings.baseUrl,
        tailnet: settings.headscaleUrl === undefined ? settings.tailnet : undefined,
        apiKey,
        clientId,
        clientSecret,
        identityToken,
      }),
      { parent: this },
    );
  }

  private policy(name: string, provider: MeshProvider): TailnetPolicy {
    const { region, settings, sites, relay } = this.#args;
    const { tag, operators, policy: mode } = settings;
    const lans = sites.filter(({ carriesLan }) => carriesLan).map(({ lan }) => lan);
    const parts = tailnetPolicy({ tag, owners: tagOwners(operators), operators, lans, relay });
    return new TailnetPolicy(`${name}-policy`, { mode, parts, owner: region }, { parent: this, provider });
  }
}
