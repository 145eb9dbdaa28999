import { z } from "zod";
import { stringify } from "yaml";
import type { WantedRelease } from "../../../components/platform/helm-release.ts";
import { defineRelease } from "../../../components/platform/release.ts";
import { releaseSettings } from "../../../components/platform/release-settings.ts";
import { spotFor } from "../../../components/platform/spot.ts";
import { resourcesOf } from "../../../components/platform/workload.ts";

const GROUP = "lab.hybrid-k3s.io";
const REQUESTS = { cpu: 10, memory: 16 };

const schema = releaseSettings({
  image: z.string().describe("Image with busybox"),
  word: z.string().describe("What it writes down when it starts"),
  ready: z.boolean().default(true).describe("Whether it becomes ready"),
  page: z.string().default("one").describe("Text of its own object"),
  objectVersion: z.enum(["v1", "v2"]).default("v1").describe("Version of its own kind"),
  objects: z.boolean().default(true).describe("Whether it has an object of its own kind"),
});

/** A release with a stateful set, hooks, and an object of a kind of its own, whose chart is in test/fixtures/charts. */
const ledger = defineRelease({
  name: "ledger",
  section: "Databases and messaging",
  summary: "a small program with state, for tests",
  home: "https://helm.sh/docs/topics/charts_hooks/",
  kind: "chart",
  namespace: "ledger",
  podSecurity: "restricted",
  // What breaks in a test is to be noticed soon.
  timeoutSeconds: 60,
  schema,
  values: (topology, { image, word, ready, place }) => ({
    image,
    word,
    ready,
    resources: resourcesOf(REQUESTS, 32),
    nodeSelector: spotFor(topology, place, "steady").nodeSelector,
  }),
  workloads: (topology, { place }) => [
    { name: "ledger", replicas: 1, requests: REQUESTS, spot: spotFor(topology, place, "steady") },
  ],
  objects: (_topology, { objects, objectVersion, page }) =>
    objects
      ? [
          {
            apiVersion: `${GROUP}/${objectVersion}`,
            kind: "Page",
            metadata: { name: "main", namespace: "ledger" },
            spec: { text: page },
          },
        ]
      : [],
});

/** The file of CRDs of a version of the ledger: which versions its kind has; the last one is kept. */
export function ledgerCrds(versions: readonly string[]): string {
  const spec = { type: "object", properties: { text: { type: "string" } } };
  return stringify({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `pages.${GROUP}` },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names: { kind: "Page", plural: "pages", singular: "page", listKind: "PageList" },
      versions: versions.map((name) => ({
        name,
        served: true,
        storage: name === versions.at(-1),
        schema: { openAPIV3Schema: { type: "object", properties: { spec } } },
      })),
    },
  });
}

/** The ledger as a region wants it. */
export const wantedLedger = (
  settings: z.input<typeof schema>,
  pin: { readonly version: string; readonly repository: string; readonly crds: string },
): WantedRelease => ({
  definition: ledger,
  settings: schema.parse(settings),
  userValues: settings.values ?? {},
  secret: false,
  chart: { ...pin, chart: "ledger", sha256: "", crds: [{ url: pin.crds, sha256: "" }] },
});
