import type { MeshConnection } from "../control/connect.ts";
import type { MeshDevice, MintedKey } from "../control/control.ts";
import type { Operation, ResourceType } from "../protocol/resource-type.ts";
import { numberOf, textOf, textsOf } from "../protocol/values.ts";
import { hasUnknown, UNKNOWN, type Values } from "../protocol/wire.ts";
import { describeDevice, glance, sameName, type ResourceContext } from "./context.ts";

/** A name of a device, or of a host: the first label of its DNS name. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const MAX_LIFETIME = 90 * 86_400;

function check(inputs: Values): Record<string, string> {
  const problems: Record<string, string> = {};
  const { machine, tags, lifetimeSeconds } = inputs;
  if (machine !== UNKNOWN && !NAME.test(textOf(machine))) {
    problems["machine"] = `found ${JSON.stringify(machine)} · allowed a DNS label of a-z, 0-9 and -`;
  }
  if (!hasUnknown(tags) && textsOf(tags).length === 0) {
    problems["tags"] = "none given · a device without a tag belongs to a person and has to log in again";
  }
  const seconds = numberOf(lifetimeSeconds);
  if (lifetimeSeconds !== UNKNOWN && !(seconds >= 60 && seconds <= MAX_LIFETIME)) {
    problems["lifetimeSeconds"] = `found ${JSON.stringify(lifetimeSeconds)} · allowed 60 to ${MAX_LIFETIME} (90 days)`;
  }
  return problems;
}

const described = ({ machine, region }: Values): string => `hybrid-k3s ${textOf(region)} ${textOf(machine)}`;
/** @param since when the first key of this life of the machine was made; undefined: it is this one */
const outputsOf = ({ id, key, created, expires }: MintedKey, since?: string): Values => ({
  key,
  keyId: id,
  expires: expires.toISOString(),
  since: since ?? created.toISOString(),
});

async function mint({ control }: MeshConnection, { inputs }: Operation): Promise<MintedKey> {
  return control.createKey({
    description: described(inputs),
    tags: textsOf(inputs["tags"]),
    lifetimeSeconds: numberOf(inputs["lifetimeSeconds"]),
  });
}

/** The device that has the machine's name in the mesh. */
const holder = async ({ control }: MeshConnection, machine: string): Promise<MeshDevice | undefined> =>
  (await control.devices()).find(({ name }) => sameName(name, machine));

/** Devices and keys are dated to the second, in no order that is promised. */
const TOLERANCE = 60_000;

/**
 * Whether the machine has joined in this life of it, be it that the mesh had to call it otherwise. The device of the life
 * before has the same name, and is there until that has left its cluster.
 */
async function hasJoined({ control }: MeshConnection, { inputs, olds }: Operation): Promise<boolean> {
  const machine = textOf(inputs["machine"]);
  const since = typeof olds["since"] === "string" ? Date.parse(olds["since"]) - TOLERANCE : 0;
  const devices = await control.devices();
  return devices.some(
    ({ name, hostname, created }) =>
      created.getTime() >= since && (sameName(name, machine) || sameName(hostname, machine)),
  );
}

/**
 * A key that lets one machine join the mesh, once: pre-approved, tagged, not ephemeral.
 *
 * It lives for an hour, and its machine may not exist by then. So the difference looks further than at the inputs: a key
 * that has expired while no device of that name is in the mesh is minted anew by the next update, which replaces nothing.
 *
 * Another life of the machine is another key of the same resource. As a replacement it would come before the machine's
 * own, and take the device of the old machine out of the mesh while that still has to leave its cluster.
 */
export function joinKeyType(context: ResourceContext): ResourceType {
  const { connect, now } = context;
  const expired = ({ olds }: Operation): boolean => Date.parse(textOf(olds["expires"])) <= now();
  /** Whether it has expired while no machine has joined by it, as far as that can be seen. */
  const isLost = async (operation: Operation): Promise<boolean> => {
    if (!expired(operation)) return false;
    const machine = textOf(operation.inputs["machine"]);
    const look = () => hasJoined(connect(operation), operation);
    return (await glance(context, operation, `whether ${machine} has joined`, look)) === false;
  };
  const livesAnew = ({ olds, inputs }: Operation): boolean => olds["life"] !== inputs["life"];
  return {
    token: "hybrid-k3s-mesh:index:JoinKey",
    replaceOn: ["machine"],
    computed: ["key", "keyId", "expires", "since"],
    // An update comes for other tags too, which need no other key.
    computedOnUpdate: async (operation) => livesAnew(operation) || (await isLost(operation)),
    secretOutputs: ["key"],
    defaults: { lifetimeSeconds: 3600 },
    check,
    diff: async (operation, usual) => {
      if (usual.replaces.length > 0) return usual;
      // How long a key lives says nothing about one that was made.
      const changed = usual.changed.filter((name) => name !== "lifetimeSeconds");
      return { ...usual, changed: (await isLost(operation)) ? [...changed, "expires"] : changed };
    },
    create: async (operation) => {
      const connection = connect(operation);
      const machine = textOf(operation.inputs["machine"]);
      const device = await holder(connection, machine);
      if (device !== undefined) {
        throw new Error(
          `the mesh has a device called ${machine} already: ${describeDevice(device)}. A second one would become ${machine}-1 · fix: remove that device from the mesh if its host is gone, else give one of the two another name`,
        );
      }
      const key = await mint(connection, operation);
      return { id: key.id, outputs: outputsOf(key) };
    },
    update: async (operation) => {
      const { key = null, keyId = null, expires = null, since = null } = operation.olds;
      const connection = connect(operation);
      const lost = expired(operation) && !(await hasJoined(connection, operation));
      const anew = livesAnew(operation);
      if (!lost && !anew) return { key, keyId, expires, since };
      const minted = await mint(connection, operation);
      // Whether the one before is still listed matters little, that the new one is kept matters much.
      await connection.control.revokeKey(textOf(keyId)).catch((error: unknown) => {
        operation.warn(`the key before, ${textOf(keyId)}, was not revoked: ${String(error)}`);
      });
      return outputsOf(minted, anew || since === null ? undefined : textOf(since));
    },
    delete: async (operation) => {
      await connect(operation).control.revokeKey(textOf(operation.olds["keyId"]));
    },
  };
}
