import type * as pulumi from "@pulumi/pulumi";
import { digest, scriptFile } from "../host/script-file.ts";
import { stationScript, type Contact } from "../host/station-script.ts";
import { ciliumChart, ciliumPool, type CiliumPlan } from "./cilium-values.ts";

const chartScript = scriptFile(new URL("./scripts/cni-cilium.sh", import.meta.url));
const poolScript = scriptFile(new URL("./scripts/cilium-pool.sh", import.meta.url));

/** How long the chart's job may take: an image, and the chart's repository, over a slow line. Seconds. */
const CHART_SECONDS = 600;
/** How long Cilium's own kinds may take to be known to the API. Seconds. */
const POOL_SECONDS = 300;

/** Arguments of {@link installCilium} and {@link ciliumAddresses}. */
export interface CiliumArgs {
  readonly plan: CiliumPlan;
  /** How many machines the region has. */
  readonly nodes: number;
  /** Whether the values hold a secret: they travel as one then. */
  readonly secret: boolean;
  /** The servers that work on the cluster is done from. */
  readonly contacts: readonly Contact[];
  readonly connectSeconds: number;
  readonly privateKey: pulumi.Input<string>;
  /** Certificate of the authority that tells this cluster's servers from others. */
  readonly serverAuthority: pulumi.Input<string>;
}

/**
 * Installs Cilium from any server whose API answers, and keeps it as the settings say. It comes after the first server's
 * k3s and before anything that waits for a node to be Ready: without a pod network none ever is. It has no delete: with
 * the pod network every pod would go.
 */
export function installCilium(
  name: string,
  { plan, nodes, secret, ...args }: CiliumArgs,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const chart = ciliumChart(plan, nodes);
  const action = {
    action: "apply",
    parameters: {
      VERSION: plan.settings.version,
      WAIT_SECONDS: String(CHART_SECONDS),
      ...(secret ? { CHART_DIGEST: digest(chart) } : { CHART: chart }),
    },
    contacts: args.contacts,
    connectSeconds: args.connectSeconds,
  };
  return stationScript(
    name,
    {
      script: chartScript,
      privateKey: args.privateKey,
      create: action,
      update: action,
      secrets: { SERVER_CA: args.serverAuthority, ...(secret ? { CHART: chart } : {}) },
      lock: "hybrid-k3s-cni",
      limitSeconds: CHART_SECONDS + 120,
    },
    options,
  );
}

/** The pool of addresses for Services, and who answers for them. Undefined where the settings state none. */
export function ciliumAddresses(
  name: string,
  { plan, ...args }: CiliumArgs,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource | undefined {
  const objects = ciliumPool(plan);
  if (objects === "") return undefined;
  const action = (word: "apply" | "remove") => ({
    action: word,
    parameters: { OBJECTS: objects, WAIT_SECONDS: String(POOL_SECONDS) },
    contacts: args.contacts,
    connectSeconds: args.connectSeconds,
  });
  return stationScript(
    name,
    {
      script: poolScript,
      privateKey: args.privateKey,
      create: action("apply"),
      update: action("apply"),
      delete: action("remove"),
      secrets: { SERVER_CA: args.serverAuthority },
      lock: "hybrid-k3s-cni",
      limitSeconds: POOL_SECONDS + 120,
    },
    options,
  );
}
