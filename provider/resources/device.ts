import type { MeshConnection } from "../control/connect.ts";
import type { MeshDevice } from "../control/control.ts";
import type { Operation, ResourceType } from "../protocol/resource-type.ts";
import { numberOf, textOf, textsOf } from "../protocol/values.ts";
import type { Values } from "../protocol/wire.ts";
import { describeDevice, sameName, suffixed, type ResourceContext } from "./context.ts";

/** Seconds between two words to the person who waits. */
const REPORT_SECONDS = 30;

const outputsOf = ({ id, address, dnsName }: MeshDevice): Values => ({ deviceId: id, address, dnsName });

/** The device of a machine; undefined while there is none. @throws Error for one that the mesh had to call otherwise */
function pick(devices: readonly MeshDevice[], machine: string): MeshDevice | undefined {
  const exact = devices.find(({ name }) => sameName(name, machine));
  // A later one of the same host name is the machine that just joined; an earlier one is somebody's leftover. Of two of the
  // same moment the one with the suffix came second.
  const other = suffixed(devices, machine).find(({ created }) => exact === undefined || created >= exact.created);
  if (other !== undefined) {
    const taken = exact === undefined ? "a device that is gone by now" : describeDevice(exact);
    throw new Error(
      `${machine} joined the mesh as ${describeDevice(other)}, for its name was taken by ${taken} · fix: remove both devices from the mesh, raise the machine's generation, and run pulumi up again`,
    );
  }
  if (exact !== undefined && !sameName(exact.hostname, machine)) {
    throw new Error(
      `the mesh calls a host ${machine} that calls itself ${exact.hostname}: ${describeDevice(exact)} · fix: give that device its own name back, or remove it`,
    );
  }
  return exact;
}

/** Waits until the machine is in the mesh and let in. */
async function waitFor(
  context: ResourceContext,
  connection: MeshConnection,
  operation: Operation,
): Promise<MeshDevice> {
  const { inputs, signal, say } = operation;
  const machine = textOf(inputs["machine"]);
  const limit = numberOf(inputs["waitSeconds"]);
  const started = context.now();
  let reported = 0;
  for (;;) {
    const device = pick(await connection.control.devices(), machine);
    if (device !== undefined && !device.waitsForApproval && device.address !== "") return device;
    const waited = (context.now() - started) / 1000;
    const what =
      device === undefined ? `for ${machine} to join the mesh` : `for somebody to approve ${machine} (id ${device.id})`;
    if (waited >= limit) {
      const fix =
        device === undefined
          ? "fix: does the host reach the control plane? a machine of a cloud says why in /var/log/hybrid-k3s-bootstrap.log; one that has booted takes no other key: raise its generation"
          : "fix: approve the device; join keys are pre-approved, so look who took that right away";
      throw new Error(`waited ${Math.round(waited)} s ${what} · ${fix}`);
    }
    if (waited - reported >= REPORT_SECONDS || reported === 0) {
      reported = Math.max(waited, 0.001);
      say(`waits ${what}, ${Math.round(waited)} of ${limit} s`);
    }
    await context.pause(signal);
  }
}

const logsInAgain = ({ expires, logsInAgain: some = false }: MeshDevice): boolean => expires !== undefined || some;

/** Switches key expiry off, and looks whether it is. */
async function neverExpire({ control }: MeshConnection, device: MeshDevice): Promise<void> {
  if (!logsInAgain(device)) return;
  await control.disableKeyExpiry(device.id);
  const after = (await control.devices()).find(({ id }) => id === device.id);
  if (after === undefined || !logsInAgain(after)) return;
  throw new Error(
    `${describeDevice(device)} has to log in again${after.expires === undefined ? "" : ` on ${after.expires.toISOString()}`}, and would leave the mesh then: switching that off had no effect · fix: switch key expiry off for it by hand, or let the credential do so (scope devices:core)`,
  );
}

async function giveTags({ control }: MeshConnection, device: MeshDevice, { inputs, olds }: Operation): Promise<void> {
  const [tags, formerly] = [textsOf(inputs["tags"]), textsOf(olds["tags"])];
  const surplus = formerly.filter((tag) => !tags.includes(tag) && device.tags.includes(tag));
  if (surplus.length === 0 && tags.every((tag) => device.tags.includes(tag))) return;
  await control.setTags(device.id, tags, formerly);
}

/**
 * A machine's place in the mesh: waited for on create, taken out on delete. It gives the address that everything else
 * reaches the machine at.
 */
export function deviceType(context: ResourceContext): ResourceType {
  const { connect } = context;
  const ours = async (operation: Operation): Promise<MeshDevice | undefined> =>
    (await connect(operation).control.devices()).find(({ id }) => id === textOf(operation.olds["deviceId"]));
  const take = async (operation: Operation): Promise<Values> => {
    const connection = connect(operation);
    const device = await waitFor(context, connection, operation);
    await neverExpire(connection, device);
    await giveTags(connection, device, { ...operation, olds: {} });
    return outputsOf(device);
  };
  return {
    token: "hybrid-k3s-mesh:index:Device",
    // Another key alone is no other device: it may never be used.
    replaceOn: ["machine", "machineId"],
    computed: ["deviceId", "address", "dnsName"],
    computedOnUpdate: ({ olds, inputs }) => olds["keyId"] !== inputs["keyId"],
    defaults: { waitSeconds: 300 },
    check: ({ tags }): Record<string, string> =>
      Array.isArray(tags) && tags.length === 0 ? { tags: "none given" } : {},
    // How long a machine is waited for says nothing about one that is there.
    diff: (_operation, { changed, replaces }) =>
      Promise.resolve({ replaces, changed: changed.filter((name) => name !== "waitSeconds") }),
    create: async (operation) => ({ id: textOf(operation.inputs["machine"]), outputs: await take(operation) }),
    update: async (operation) => {
      const device = await ours(operation);
      // Somebody took it out of the mesh: a host that is told its new key comes back as another device.
      if (device === undefined) return take(operation);
      await giveTags(connect(operation), device, operation);
      return outputsOf(device);
    },
    delete: async (operation) => {
      await connect(operation).control.removeDevice(textOf(operation.olds["deviceId"]));
    },
    read: async (operation) => {
      const device = await ours(operation);
      return device && { outputs: { ...operation.olds, ...outputsOf(device) } };
    },
  };
}
