import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { PlatformArgs } from "../../components/platform/platform.ts";
import { noAid } from "./no-aid.ts";
import { PRIVATE_KEY, sshTarget } from "./sample.ts";
import { TOPOLOGIES } from "./topologies.ts";

/** What a platform of region tokyo is made with, in a cluster that nobody reaches. Declares its provider and its anchor. */
export const platformArgs = (releases: PlatformArgs["releases"], memberships: readonly pulumi.Resource[] = []) => ({
  releases,
  topology: TOPOLOGIES["tokyo-sapporo"],
  contacts: [{ name: "s-a", ...sshTarget("10.20.0.11") }],
  connectSeconds: 300,
  privateKey: PRIVATE_KEY,
  kubeconfig: pulumi.secret("kubeconfig"),
  serverAuthority: "authority",
  provider: new kubernetes.Provider("tokyo-kubernetes", { kubeconfig: "x", clusterIdentifier: "tokyo" }),
  anchor: new random.RandomId("tokyo-anchor", { byteLength: 8 }),
  memberships,
  releaseAid: noAid,
});
