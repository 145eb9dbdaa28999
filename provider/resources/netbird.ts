import { ApiError, type Http } from "../control/http.ts";
import type { Operation, ResourceType } from "../protocol/resource-type.ts";
import { objectOf, textOf, textsOf } from "../protocol/values.ts";
import type { Value, Values } from "../protocol/wire.ts";
import type { ResourceContext } from "./context.ts";

/** A kind of object of NetBird's API. */
interface ObjectKind {
  /** Name of the resource. */
  readonly name: string;
  /** Path of the collection. */
  readonly path: (inputs: Values) => string;
  /** Inputs that are part of the path and not of the object; another one is another object. */
  readonly place?: readonly string[];
  /** What a write has to say besides, that belongs to others. @default nothing */
  readonly keep?: (existing: Values) => Values;
}

const idsOf = (list: Value | undefined): Value =>
  (Array.isArray(list) ? (list as readonly Value[]) : []).map((entry) => objectOf(entry)["id"] ?? entry);
const inNetwork =
  (collection: string) =>
  (inputs: Values): string =>
    `/api/networks/${encodeURIComponent(textOf(inputs["networkId"]))}/${collection}`;

/** https://github.com/netbirdio/netbird/blob/v0.77.1/shared/management/http/api/openapi.yml */
const KINDS: readonly ObjectKind[] = [
  {
    name: "NetbirdGroup",
    path: () => "/api/groups",
    // A group is written as a whole, its members with it: those that joined by a key would be thrown out.
    keep: ({ peers, resources }) => ({ peers: idsOf(peers), resources: resources ?? [] }),
  },
  { name: "NetbirdPolicy", path: () => "/api/policies" },
  { name: "NetbirdNetwork", path: () => "/api/networks" },
  { name: "NetbirdNetworkResource", path: inNetwork("resources"), place: ["networkId"] },
  { name: "NetbirdNetworkRouter", path: inNetwork("routers"), place: ["networkId"] },
  { name: "NetbirdDnsZone", path: () => "/api/dns/zones" },
];

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
/** The API's two words that are not in its own style. */
const AS_THEY_ARE = new Set(["sourceResource", "destinationResource"]);

/** Inputs in the API's spelling, at any depth. */
export function toApi(value: Value): Value {
  if (Array.isArray(value)) return (value as readonly Value[]).map(toApi);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as Values).map(([name, part]) => [AS_THEY_ARE.has(name) ? name : snake(name), toApi(part)]),
  );
}

/** Fields that name groups. The API wants ids; settings and people have names. */
const GROUP_FIELDS = new Set(["sources", "destinations", "groups", "peerGroups", "distributionGroups"]);

/** Puts ids in the place of groups' names, at any depth. @throws Error that lists the groups there are */
function withGroupIds(value: Value, ids: ReadonlyMap<string, string>): Value {
  const idOf = (name: string): string => {
    const id = ids.get(name);
    if (id !== undefined) return id;
    throw new Error(
      `NetBird has no group ${name} · found ${[...ids.keys()].sort().join(", ")} · fix: make that group in NetBird, or name another one in the settings (mesh.operators)`,
    );
  };
  if (Array.isArray(value)) return (value as readonly Value[]).map((entry) => withGroupIds(entry, ids));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as Values).map(([name, part]) => [
      name,
      GROUP_FIELDS.has(name) ? textsOf(part).map(idOf) : withGroupIds(part, ids),
    ]),
  );
}

const namesGroups = (value: Value): boolean =>
  typeof value === "object" &&
  value !== null &&
  Object.entries(value as Values).some(([name, part]) => GROUP_FIELDS.has(name) || namesGroups(part));

function objectType({ connect }: ResourceContext, { name, path, place = [], keep }: ObjectKind): ResourceType {
  const http = (operation: Operation): Http => {
    const { netbird, kind } = connect(operation);
    if (netbird !== undefined) return netbird;
    throw new Error(`${kind} has no such object · ${name} is for netbird`);
  };
  const bodyOf = async (operation: Operation): Promise<Values> => {
    const entries = Object.entries(operation.inputs).filter(([key]) => !place.includes(key) && !key.startsWith("__"));
    const own: Values = Object.fromEntries(entries);
    if (!namesGroups(own)) return toApi(own) as Values;
    const groups = await http(operation).json<{ id: string; name: string }[]>({ method: "GET", path: "/api/groups" });
    return toApi(withGroupIds(own, new Map(groups.map((group) => [group.name, group.id])))) as Values;
  };
  const one = ({ id, olds }: Operation): string => `${path(olds)}/${encodeURIComponent(id)}`;
  const existing = async (operation: Operation): Promise<Values | undefined> => {
    try {
      return await http(operation).json<Values>({ method: "GET", path: one(operation) });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  };
  return {
    token: `hybrid-k3s-mesh:index:${name}`,
    replaceOn: place,
    computed: [],
    create: async (operation) => {
      const body = await bodyOf(operation);
      const made = await http(operation).json<{ id: string }>({ method: "POST", path: path(operation.inputs), body });
      return { id: made.id, outputs: {} };
    },
    update: async (operation) => {
      const kept = keep?.((await existing(operation)) ?? {}) ?? {};
      const body = { ...kept, ...(await bodyOf(operation)) };
      await http(operation).send({ method: "PUT", path: one(operation), body });
      return {};
    },
    delete: async (operation) => {
      await http(operation).send({ method: "DELETE", path: one(operation), fine: [404] });
    },
    read: async (operation) => ((await existing(operation)) === undefined ? undefined : { outputs: operation.olds }),
  };
}

/** NetBird's objects: thin, their inputs are the API's own fields in camelCase. */
export const netbirdTypes = (context: ResourceContext): readonly ResourceType[] =>
  KINDS.map((kind) => objectType(context, kind));
