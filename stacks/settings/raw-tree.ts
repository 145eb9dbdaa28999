/** Settings as they are written, right or wrong. */
export type Tree = Readonly<Record<string, unknown>>;

/** A machine as it stands in the settings, right or wrong. */
export interface RawMachine {
  readonly name: string;
  readonly path: readonly string[];
  readonly fields: Tree;
  readonly site: string;
  readonly lan: unknown;
  readonly sitePath: string;
  /** The nearest `jump`, and where it stands. */
  readonly jump: { readonly path: readonly string[]; readonly value: unknown } | undefined;
}

/** The entries of an object that are objects themselves. */
export const children = (value: unknown): readonly (readonly [string, Tree])[] =>
  typeof value !== "object" || value === null || Array.isArray(value)
    ? []
    : Object.entries(value).filter(
        (entry): entry is [string, Tree] => typeof entry[1] === "object" && entry[1] !== null,
      );

/** An object, or an empty one where something else stands. */
export const treeOf = (value: unknown): Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Tree) : {};

/** Every pool of every site. */
export const rawPools = (sites: unknown) =>
  children(sites).flatMap(([siteName, site]) =>
    children(site["pools"]).map(([poolName, pool]) => ({ siteName, site, poolName, pool })),
  );

/** Every machine of every site. */
export function rawMachines(sites: unknown): RawMachine[] {
  return rawPools(sites).flatMap(({ siteName, site, poolName, pool }) =>
    children(pool["machines"]).map(([name, fields]) => {
      const places: readonly (readonly [readonly string[], Tree])[] = [
        [["sites", siteName, "pools", poolName, "machines", name], fields],
        [["sites", siteName, "pools", poolName], pool],
        [["sites", siteName], site],
      ];
      const [nearest] = places.filter(([, tree]) => tree["jump"] !== undefined);
      return {
        name,
        path: places[0]?.[0] ?? [],
        fields,
        site: siteName,
        lan: site["lan"],
        sitePath: `sites.${siteName}`,
        jump: nearest && { path: [...nearest[0], "jump"], value: nearest[1]["jump"] },
      };
    }),
  );
}
