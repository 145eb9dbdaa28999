import type { Claims } from "../../components/platform/release.ts";
import { traefik } from "../../components/platform/releases/traefik.ts";
import type { Topology } from "../../components/platform/topology.ts";
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

/** Ports of the Traefik that k3s brings, also where settings say nothing of it. */
const K3S_PORTS = [80, 443];

/** Findings for ports of Services: ServiceLB takes each on the machines themselves, and so it is there once. */
function portsTwice(topology: Topology, releases: readonly PlannedRelease[]): string[] {
  // A Service with an address of its own shares its ports with nobody.
  if (topology.addressPool || topology.disabled.includes("servicelb")) return [];
  const brought =
    !topology.disabled.includes("traefik") && !releases.some(({ name }) => name === traefik.name) ? K3S_PORTS : [];
  return [
    ...releases.flatMap(({ name, claims }) =>
      (claims.ports ?? [])
        .filter((port) => brought.includes(port))
        .map((port) =>
          problemText(releasePath(name), `port ${port}, which k3s's Traefik has as well`, {
            allowed: "one holder of each port",
            fix: `write kubernetes.config: { "disable+": [traefik] }`,
          }),
        ),
    ),
    ...twice(
      releases,
      ({ ports }) => (ports ?? []).map((port) => `port ${port}`),
      "one release on each port",
      "give one of them another port, or remove one",
    ),
  ];
}

/** Two releases want one thing that a cluster has once. */
export const claimedTwice: Guardrail = {
  id: "claimed-twice",
  reason: "of two releases with one port, one default class or one rule, it is chance which of them has the say",
  severity: "refuse",
  check: (settings) => {
    const { topology, releases } = plannedReleases(settings);
    return [
      ...portsTwice(topology, releases),
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
              fix: `write kubernetes.config: { "disable+": [local-storage] }, or default: false here`,
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
