import type { Claims } from "../../components/platform/release.ts";
import { type PlannedRelease, plannedReleases, releasePath } from "../planned-releases.ts";
import { problemText } from "../settings/problem.ts";
import type { Guardrail } from "./guardrail.ts";

/** Findings for everything that more than one release claims. */
function twice(
  releases: readonly PlannedRelease[],
  claimed: (claims: Claims) => readonly string[],
  what: string,
  fix: string,
): string[] {
  const holders = new Map<string, string[]>();
  for (const { name, claims } of releases) {
    for (const claim of claimed(claims)) holders.set(claim, [...(holders.get(claim) ?? []), name]);
  }
  return [...holders].flatMap(([claim, names]) => {
    const [first, second] = names;
    if (first === undefined || second === undefined) return [];
    return [
      problemText(releasePath(second), `${claim}, which ${releasePath(first)} has as well`, { allowed: what, fix }),
    ];
  });
}

/** Two releases want one thing that a cluster has once. */
export const claimedTwice: Guardrail = {
  id: "claimed-twice",
  reason: "of two releases with one port, one default class or one rule, it is chance which of them has the say",
  severity: "refuse",
  check: (settings) => {
    const { releases } = plannedReleases(settings);
    return [
      ...twice(
        releases,
        ({ ports }) => (ports ?? []).map((port) => `port ${port}`),
        "one release on each port",
        "give one of them another port, or remove one",
      ),
      ...twice(
        releases,
        ({ defaultIngressClass }) => (defaultIngressClass === undefined ? [] : ["the default ingress class"]),
        "one default ingress class",
        "keep one of them as the default",
      ),
      ...twice(
        releases,
        ({ podRules }) => (podRules ?? []).map((rule) => `the rule ${rule} for pods`),
        "one release that keeps a rule, with one list of exceptions",
        "take it off policies of one of them; policies: [] leaves kyverno to policies of yours",
      ),
    ];
  },
};

/** The class that k3s brings, as the default one. https://docs.k3s.io/add-ons/storage */
const K3S_CLASS = "local-path";

/** Two StorageClasses are the default one: those of two releases, or a release's and the one that k3s brings. */
export const twoDefaultStorageClasses: Guardrail = {
  id: "two-default-storage-classes",
  reason: "with two default classes a volume gets the newer one: after the next upgrade that may be the other",
  severity: "refuse",
  check: (settings) => {
    const { topology, releases } = plannedReleases(settings);
    const own = releases.filter(({ claims }) => claims.defaultStorageClass !== undefined);
    const [first] = own;
    const brought =
      first === undefined || topology.disabled.includes("local-storage")
        ? []
        : [
            problemText(releasePath(first.name), `the default StorageClass, which k3s's ${K3S_CLASS} is as well`, {
              allowed: "one default StorageClass",
              fix: "write kubernetes.config: { disable: [local-storage] }, or default: false here",
            }),
          ];
    return [
      ...brought,
      ...twice(
        own,
        () => ["the default StorageClass"],
        "one default StorageClass",
        "write default: false for one of them",
      ),
    ];
  },
};
