import type { StateResource } from "./engine/session.ts";

/** One resource on the longest way through the graph. */
export interface PathPart {
  readonly name: string;
  /** Simulated seconds of its own. */
  readonly seconds: number;
}

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

/** What a resource waits for: what its inputs and `dependsOn` name, and its provider (`urn::id` in the state). */
function waitsFor({ dependencies = [], provider }: StateResource): string[] {
  return provider === undefined ? [...dependencies] : [...dependencies, provider.slice(0, provider.lastIndexOf("::"))];
}

/**
 * The chain of resources that decides how long an update takes.
 * @param resources the state
 * @param durations simulated seconds by logical name; what is missing took none
 * @returns the parts that took time, in order; their sum is the shortest time the update can take
 */
export function criticalPath(resources: readonly StateResource[], durations: ReadonlyMap<string, number>): PathPart[] {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const ends = new Map<string, { at: number; before?: string }>();
  const endOf = (urn: string): number => {
    const known = ends.get(urn);
    if (known !== undefined) return known.at;
    const resource = byUrn.get(urn);
    if (resource === undefined) return 0;
    let start = 0;
    let before: string | undefined;
    for (const dependency of waitsFor(resource)) {
      const end = endOf(dependency);
      if (end > start) [start, before] = [end, dependency];
    }
    const own = resource.custom === false ? 0 : (durations.get(nameOf(urn)) ?? 0);
    ends.set(urn, { at: start + own, ...(before === undefined ? {} : { before }) });
    return start + own;
  };
  let last: string | undefined;
  for (const { urn } of resources) if (endOf(urn) > (last === undefined ? 0 : endOf(last))) last = urn;
  const path: PathPart[] = [];
  for (let urn = last; urn !== undefined; urn = ends.get(urn)?.before) {
    const seconds = durations.get(nameOf(urn)) ?? 0;
    if (seconds > 0 && byUrn.get(urn)?.custom !== false) path.unshift({ name: nameOf(urn), seconds });
  }
  return path;
}
