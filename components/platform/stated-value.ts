/**
 * What the user's own Helm values say at a path; undefined where they say nothing. They are merged last, so that what
 * they say holds.
 */
export function statedValue(values: Readonly<Record<string, unknown>>, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Readonly<Record<string, unknown>>)[key]
        : undefined,
    values,
  );
}
