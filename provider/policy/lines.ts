import { isDeepStrictEqual } from "node:util";
import { textsOf, listOf, objectOf } from "../protocol/values.ts";
import type { Value, Values } from "../protocol/wire.ts";

/** Something that a policy file must hold: an entry of a list. */
export interface PolicyLine {
  /** Where the list stands, such as `["tagOwners", "tag:k3s-tokyo"]` or `["grants"]`. */
  readonly path: readonly string[];
  /** The entry. Absent: the section or list itself has to be there. */
  readonly value?: Value;
}

/** What a region puts into a policy file, by section: https://tailscale.com/docs/reference/syntax/policy-file */
export interface PolicyParts {
  readonly tagOwners: Readonly<Record<string, readonly string[]>>;
  readonly autoApprovers: {
    readonly routes: Readonly<Record<string, readonly string[]>>;
    readonly exitNode: readonly string[];
  };
  readonly grants: readonly Values[];
  readonly nodeAttrs: readonly Values[];
}

const listsOf = (value: Value | undefined): Record<string, readonly string[]> =>
  Object.fromEntries(Object.entries(objectOf(value)).map(([key, list]) => [key, textsOf(list)]));

/** Reads the parts from a resource's input. */
export function partsOf(input: Value | undefined): PolicyParts {
  const { tagOwners, autoApprovers, grants, nodeAttrs } = objectOf(input);
  const { routes, exitNode } = objectOf(autoApprovers);
  return {
    tagOwners: listsOf(tagOwners),
    autoApprovers: { routes: listsOf(routes), exitNode: textsOf(exitNode) },
    grants: listOf(grants).map(objectOf),
    nodeAttrs: listOf(nodeAttrs).map(objectOf),
  };
}

const entries = (path: readonly string[], values: readonly Value[]): PolicyLine[] =>
  values.length === 0 ? [{ path }] : values.map((value) => ({ path, value }));

/** Every line of the parts, section by section. */
export function linesOf({ tagOwners, autoApprovers, grants, nodeAttrs }: PolicyParts): PolicyLine[] {
  const { routes, exitNode } = autoApprovers;
  return [
    ...Object.entries(tagOwners).flatMap(([tag, owners]) => entries(["tagOwners", tag], owners)),
    ...Object.entries(routes).flatMap(([route, who]) => entries(["autoApprovers", "routes", route], who)),
    ...exitNode.map((value) => ({ path: ["autoApprovers", "exitNode"], value })),
    ...grants.map((value) => ({ path: ["grants"], value })),
    ...nodeAttrs.map((value) => ({ path: ["nodeAttrs"], value })),
  ];
}

/** Whether two lines are the same. */
export const sameLine = (one: PolicyLine, other: PolicyLine): boolean =>
  isDeepStrictEqual(one.path, other.path) && isDeepStrictEqual(one.value, other.value);

/** Lines as they stand in a state. */
export const linesFrom = (value: Value | undefined): PolicyLine[] =>
  listOf(value).map((entry) => {
    const line = objectOf(entry);
    return { path: textsOf(line["path"]), ...(line["value"] === undefined ? {} : { value: line["value"] }) };
  });

/** Lines as they go into a state. */
export const linesTo = (lines: readonly PolicyLine[]): Value =>
  lines.map(({ path, value }) => ({ path, ...(value === undefined ? {} : { value }) }));
