import * as pulumi from "@pulumi/pulumi";
import type { LoginKey } from "../bootstrap/login-key.ts";
import type { ScriptFile } from "../host/script-file.ts";
import { stationScript, type StationAction } from "../host/station-script.ts";
import { boundTo, lifeOf } from "../machine-life.ts";
import type { MachineSpec } from "../machine.ts";
import { present } from "../present.ts";
import type { FirstBoot } from "./first-boot.ts";
import type { Invitation, JoiningHost, Member, Mesh } from "./mesh.ts";
import { Device } from "./resources/device.ts";
import { JoinKey } from "./resources/join-key.ts";
import type { MeshProvider } from "./resources/mesh-provider.ts";

/** How long a machine's first boot tries to join, once it has booted. Seconds. */
const FIRST_BOOT_SECONDS = 600;
/** How long a device may take to be listed whose host says that it is in. Seconds. */
const LISTED_SECONDS = 120;
/** How long a host may take to install the client and to join, or to be rid of it. Seconds. */
const JOIN_SECONDS = 900;
/** How long a host that is given back may take to answer, before it is left as it is. Seconds. */
const REMOVE_CONNECT_SECONDS = 45;

/** What all machines of a region join their mesh with. */
export interface MembershipPlan {
  readonly region: string;
  readonly provider: MeshProvider;
  /** What the control server must know before a key may carry the tags. */
  readonly after: readonly pulumi.Resource[];
  /** Tags of the region's devices, or NetBird groups by name. */
  readonly tags: readonly string[];
  readonly keyLifetimeSeconds: number;
  /** What a first boot and the join script need of the client, but for name and key. */
  readonly client: Omit<FirstBoot, "hostname" | "key" | "rules">;
  /** See {@link MeshArgs.firstRules}. */
  readonly firstRules: (spec: MachineSpec) => string | undefined;
  readonly script: ScriptFile;
  /** Name under which the script takes the control server's address. */
  readonly serverParameter: string;
  readonly login: Pick<LoginKey, "privateKey" | "previous">;
  /** Seconds that a host may take to boot and to answer on SSH. */
  readonly connectSeconds: number;
}

/** How machines come into a mesh and out of it: the same for every control plane. */
export class Membership implements Pick<Mesh, "invite" | "member" | "join"> {
  readonly #plan: MembershipPlan;

  constructor(plan: MembershipPlan) {
    this.#plan = plan;
  }

  readonly invite: Mesh["invite"] = (spec, options): Invitation => {
    const key = this.#key(spec, options);
    const { client, firstRules } = this.#plan;
    const rules = firstRules(spec);
    const firstBoot = key.key.apply((text): FirstBoot => present({ ...client, hostname: spec.name, key: text, rules }));
    return { resource: key, keyId: key.keyId, firstBoot: pulumi.secret(firstBoot) };
  };

  readonly member: Mesh["member"] = (spec, invitation, id, options): Member =>
    this.#device(spec, id, invitation.keyId, this.#plan.connectSeconds + FIRST_BOOT_SECONDS, options);

  readonly join: Mesh["join"] = (host, options): Member => {
    const key = this.#key(host.spec, pulumi.mergeOptions(options, { dependsOn: [...host.after] }));
    const script = this.#joinScript(host, key, options);
    const after = pulumi.mergeOptions(options, { dependsOn: [script] });
    return this.#device(host.spec, host.id, key.keyId, LISTED_SECONDS, after);
  };

  #key(spec: MachineSpec, options: pulumi.CustomResourceOptions): JoinKey {
    const { region, tags, keyLifetimeSeconds: lifetimeSeconds, provider, after } = this.#plan;
    return new JoinKey(
      `${spec.name}-mesh-key`,
      { machine: spec.name, region, tags, lifetimeSeconds, life: lifeOf(spec) },
      pulumi.mergeOptions(options, { provider, dependsOn: [...after] }),
    );
  }

  #device(
    spec: MachineSpec,
    machineId: pulumi.Output<string>,
    keyId: pulumi.Output<string>,
    waitSeconds: number,
    options: pulumi.CustomResourceOptions,
  ): Member {
    const { tags, provider, after } = this.#plan;
    const device = new Device(
      `${spec.name}-mesh-device`,
      { machine: spec.name, machineId, keyId, tags, waitSeconds },
      // The old one goes first, or the new one would get another name beside it.
      pulumi.mergeOptions(options, { provider, dependsOn: [...after], deleteBeforeReplace: true }),
    );
    return { address: device.address, deviceId: device.deviceId, resource: device };
  }

  #joinScript(
    { spec, ssh, id, resource, after, givenBack }: JoiningHost,
    key: JoinKey,
    options: pulumi.CustomResourceOptions,
  ) {
    const { client, script, serverParameter, login, connectSeconds } = this.#plan;
    const reach = { contacts: [{ name: spec.name, ...ssh }], connectSeconds };
    const join: StationAction = {
      action: "join",
      parameters: {
        NODE_NAME: spec.name,
        VERSION: client.version,
        PACKAGES: client.packages,
        [serverParameter]: client.loginServer ?? "",
        PORT: String(client.port),
      },
      ...reach,
    };
    const remove: StationAction = {
      ...reach,
      action: "remove",
      parameters: { NODE_NAME: spec.name },
      connectSeconds: REMOVE_CONNECT_SECONDS,
      unreachable: "leave",
    };
    return stationScript(
      `${spec.name}-mesh-join`,
      {
        script,
        privateKey: login.privateKey,
        ...(login.previous === undefined ? {} : { previousKey: login.previous }),
        secrets: { JOIN_KEY: key.key },
        create: join,
        // A host that is in already is left alone; one that somebody threw out comes back by the key that was minted anew.
        update: join,
        ...(givenBack ? { delete: remove } : {}),
        triggers: [id],
        limitSeconds: JOIN_SECONDS,
      },
      pulumi.mergeOptions(options, { dependsOn: [...after], ...(givenBack ? {} : boundTo(spec, resource)) }),
    );
  }
}
