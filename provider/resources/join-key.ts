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
const outputsOf = ({ id, key, expires }: MintedKey): Values => ({ key, keyId: id, expires: expires.toISOString() });

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

/** Whether the machine has used its key, be it that the mesh had to call it otherwise. */
const hasJoined = async ({ control }: MeshConnection, machine: string): Promise<boolean> =>
  (await control.devices()).some(({ name, hostname }) => sameName(name, machine) || sameName(hostname, machine));

/**
 * A key that lets one machine join the mesh, once: pre-approved, tagged, not ephemeral.
 *
 * It lives for an hour, and its machine may not exist by then. So the difference looks further than at the inputs: a key
 * that has expired while no device of that name is in the mesh is minted anew by the next update, which replaces nothing.
 *
 * Another life of the machine is another key of the same resource. As a replacement it would come before the machine's
 * own, and take the device of the old machine out of the mesh while that still has to leave its cluster.
 */
export function joinKeyType({ connect, now }: ResourceContext): ResourceType {
  const expired = ({ olds }: Operation): boolean => Date.parse(textOf(olds["expires"])) <= now();
  const livesAnew = ({ olds, inputs }: Operation): boolean => olds["life"] !== inputs["life"];
  return {
    token: "hybrid-k3s-mesh:index:JoinKey",
    replaceOn: ["machine"],
    computed: ["key", "keyId", "expires"],
    // An update comes for other tags too, which need no other key.
    computedOnUpdate: (operation) => expired(operation) || livesAnew(operation),
    secretOutputs: ["key"],
    defaults: { lifetimeSeconds: 3600 },
    check,
    diff: async (operation, usual) => {
      if (usual.replaces.length > 0 || !expired(operation)) return usual;
      const machine = textOf(operation.inputs["machine"]);
      const look = () => hasJoined(connect(operation), machine);
      const joined = await glance(operation, `whether ${machine} has joined`, look);
      return joined === false ? { ...usual, changed: [...usual.changed, "expires"] } : usual;
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
      const { olds, inputs } = operation;
      const { key = null, keyId = null, expires = null } = olds;
      const connection = connect(operation);
      const machine = textOf(inputs["machine"]);
      const isLost = expired(operation) && !(await hasJoined(connection, machine));
      if (!isLost && !livesAnew(operation)) return { key, keyId, expires };
      const minted = await mint(connection, operation);
      // Whether the one before is still listed matters little, that the new one is kept matters much.
      await connection.control.revokeKey(textOf(keyId)).catch((error: unknown) => {
        operation.warn(`the key before, ${textOf(keyId)}, was not revoked: ${String(error)}`);
      });
      return outputsOf(minted);
    },
    delete: async (operation) => {
      await connect(operation).control.revokeKey(textOf(operation.olds["keyId"]));
    },
  };
}
