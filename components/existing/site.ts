import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { scriptFile } from "../host/script-file.ts";
import { stationScript } from "../host/station-script.ts";
import { lifeOf } from "../machine-life.ts";
import type { Machine, MachineSpec, SshTarget } from "../machine.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { addressesOf } from "../mesh/way-in.ts";

const TYPE = "hybrid-k3s:existing:Site";

const hostScript = scriptFile(new URL("./scripts/existing-host.sh", import.meta.url));

/** How long a host that is given back may take to answer, before it is left as it is. Seconds. */
const RELEASE_CONNECT_SECONDS = 45;
/** How long claiming or cleaning a host may take. Seconds. */
const HOST_SECONDS = 300;

/** A host that stands already. Its address is a plain value. */
export interface ExistingHost {
  readonly spec: MachineSpec;
  /** Private address, the node's `node-ip`. */
  readonly address: string;
  readonly ssh: SshTarget;
  /** See {@link Machine.reach}. */
  readonly reach: string;
}

/** Arguments of {@link ExistingSite}. */
export interface ExistingSiteArgs {
  readonly region: string;
  readonly hosts: readonly ExistingHost[];
  readonly privateKey: pulumi.Input<string>;
  /** Seconds that a host may take to answer on SSH. */
  readonly connectSeconds: number;
  /** The mesh that hosts join. @default none */
  readonly mesh?: Mesh;
  /** Whether the address in the mesh is the node's, for a LAN whose range another site has too. @default false */
  readonly meshAddresses?: boolean;
}

/** Hosts that were there before, claimed for one region and given back clean. */
export class ExistingSite extends pulumi.ComponentResource {
  /** One machine a host. */
  readonly machines: readonly Machine[];

  constructor(name: string, args: ExistingSiteArgs, options?: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, options);
    // What only this stack's state knows: tells its claims from those of another stack with the same settings.
    const owner = new random.RandomId(`${name}-owner`, { byteLength: 8 }, { parent: this });
    this.machines = args.hosts.map((host) => this.claim(host, args, owner.hex));
    this.registerOutputs({});
  }

  private claim(host: ExistingHost, args: ExistingSiteArgs, owner: pulumi.Output<string>): Machine {
    const { spec, address, ssh, reach: identity } = host;
    const parameters = { NODE_NAME: spec.name, REGION: args.region, GENERATION: String(spec.generation) };
    const reach = { contacts: [{ name: spec.name, ...ssh }], connectSeconds: args.connectSeconds };
    const resource = stationScript(
      `${spec.name}-host`,
      {
        script: hostScript,
        privateKey: args.privateKey,
        secrets: { OWNER: owner },
        create: { action: "claim", parameters, ...reach },
        update: { action: "verify", parameters, ...reach },
        // A host that is dead, or gone, must not keep the rest of the region from being removed.
        delete: {
          action: "release",
          parameters,
          ...reach,
          connectSeconds: RELEASE_CONNECT_SECONDS,
          unreachable: "leave",
        },
        limitSeconds: HOST_SECONDS,
      },
      // Leave, give back, claim, install.
      { parent: this, replacementTrigger: lifeOf(spec) },
    );
    const member = args.mesh?.join(
      { spec, ssh, id: resource.id, resource, after: [resource], givenBack: true },
      { parent: this },
    );
    return {
      spec,
      ...addressesOf(pulumi.output(address), member, args.meshAddresses),
      apiAddress: pulumi.output(address),
      ssh,
      reach: identity,
      id: resource.id,
      resource,
      ready: [resource, ...(member === undefined ? [] : [member.resource])],
    };
  }
}
