import { describe, expect, test } from "vitest";
import type { ReleaseDefinition } from "../../components/platform/release.ts";
import { buildkit } from "../../components/platform/releases/buildkit.ts";
import { longhorn } from "../../components/platform/releases/longhorn.ts";
import { openbao } from "../../components/platform/releases/openbao.ts";
import { vault } from "../../components/platform/releases/vault.ts";
import type { Topology } from "../../components/platform/topology.ts";
import { TOPOLOGIES } from "../support/topologies.ts";

const valuesOf = (definition: ReleaseDefinition, settings: unknown, topology: Topology = TOPOLOGIES["on-premises"]) =>
  definition.values(topology, definition.schema.parse(settings) as never);

describe.each([openbao, vault])("$name", (definition) => {
  test("lets the machine of its only pod be drained, and keeps a majority of several", () => {
    const budget = (replicas: number) => ({
      server: { ha: { replicas, disruptionBudget: { enabled: replicas > 1 } } },
    });
    expect(valuesOf(definition, { replicas: 1 })).toMatchObject(budget(1));
    expect(valuesOf(definition, { replicas: 3 })).toMatchObject(budget(3));
  });
});

test("longhorn has two of what it keeps from being evicted, where there are two machines", () => {
  const [pool] = TOPOLOGIES["on-premises"].pools;
  const alone: Topology = { ...TOPOLOGIES["on-premises"], pools: [{ ...pool, nodes: 1 }] };
  expect(valuesOf(longhorn, {})).toMatchObject({ csi: { attacherReplicaCount: 2, provisionerReplicaCount: 2 } });
  expect(valuesOf(longhorn, {}, alone)).toMatchObject({ csi: { attacherReplicaCount: 1, provisionerReplicaCount: 1 } });
});

test("buildkit does not go through all its layers when its pod starts somewhere else", () => {
  const objects = buildkit.objects!(TOPOLOGIES["on-premises"], buildkit.schema.parse({}) as never);
  expect(objects.find(({ kind }) => kind === "StatefulSet")).toMatchObject({
    spec: { template: { spec: { securityContext: { fsGroup: 1000, fsGroupChangePolicy: "OnRootMismatch" } } } },
  });
});
