import { describe, expect, test } from "vitest";
import { CATALOGUE } from "../../components/platform/catalogue.ts";
import { parseDeployed } from "../../stacks/deployed.ts";
import { evaluateGuardrails } from "../../stacks/guardrails.ts";
import { keepingWhatRuns, lastingOf } from "../../stacks/lasting.ts";
import { deployedOf, type MachineLine, regionOf, type Wanted } from "./guardrails-cases.ts";

const RACK: readonly MachineLine[] = [
  ["rack/server a 10.20.0.11"],
  ["rack/server b 10.20.0.12"],
  ["rack/server c 10.20.0.13"],
];
const ONE = RACK.slice(0, 1);
const ATTIC: readonly MachineLine[] = [
  ["attic/agent d 192.168.1.4"],
  ["attic/agent e 192.168.1.5"],
  ["attic/agent f 192.168.1.6"],
];
const WORKERS: readonly MachineLine[] = [
  ["rack/agent w 10.20.0.21"],
  ["rack/agent x 10.20.0.22"],
  ["rack/agent y 10.20.0.23"],
];
/** Of everything that keeps data, with what it needs. */
const platform = {
  traefik: { accessLog: true },
  crowdsec: {},
  longhorn: {},
  "cert-manager": {},
  "cloudnative-pg": {},
  postgres: { clusters: { main: {} } },
  pgedge: {},
  nats: {},
  "k8ssandra-operator": {},
  cassandra: {},
  valkey: { size: "1GiB" },
  garage: {},
  "kube-prometheus-stack": {},
  loki: {},
  openbao: {},
  vault: {},
  buildkit: {},
};

/** The two sites have a router between them. */
const accept = { "routed-sites": "a router joins them" };

/** What a region keeps that grew, or shrank, from one update to the next. */
function kept(before: Wanted, after: Wanted) {
  const deployed = deployedOf(before);
  const settings = keepingWhatRuns(regionOf({ ...after, accept }), deployed);
  const { refused } = evaluateGuardrails(settings, deployed);
  return { before: deployed.lasting, after: lastingOf(settings), refused: refused.map(({ id }) => id) };
}

describe("what data hangs on", () => {
  test("is recorded of all that keeps any, and of nothing else", () => {
    const keeping = ["traefik", "cert-manager", "cloudnative-pg", "k8ssandra-operator"];
    const names = Object.keys(platform).filter((name) => !keeping.includes(name));
    expect(Object.keys(lastingOf(regionOf({ platform })))).toEqual(
      CATALOGUE.map(({ name }) => name).filter((name) => names.includes(name)),
    );
    expect(lastingOf(regionOf({ machines: RACK, platform: { nats: {}, garage: {} } }))).toEqual({
      nats: { volumes: { nats: ["rack/server"] }, facts: { replicas: 3 } },
      garage: { volumes: { "garage-rack": ["rack/server"] }, facts: { replicationFactor: 3, "nodesPerSite.rack": 3 } },
    });
  });

  test("stays in its site when agents come in another one", () => {
    const { before, after, refused } = kept({ machines: RACK, platform }, { machines: [...RACK, ...ATTIC], platform });
    expect(refused).toEqual([]);
    // A site more is a zone more of Garage: what the others have stays.
    expect(after).toMatchObject(before!);
    expect({ ...after, garage: before!["garage"] }).toEqual(before);
  });

  test("keeps its numbers when machines come in its site", () => {
    const { before, after } = kept({ machines: ONE, platform }, { machines: [...RACK, ...WORKERS], platform });
    const facts = (record: typeof after) => Object.entries(record).map(([name, own]) => [name, own.facts]);
    expect(facts(after)).toEqual(facts(before!));
    expect(after).toMatchObject({ nats: { facts: { replicas: 1 } }, garage: { facts: { replicationFactor: 1 } } });
  });

  test("keeps as many copies of an object where another site has room for more", () => {
    const own = { platform: { garage: {} } };
    const { after, refused } = kept({ machines: ONE, ...own }, { machines: [...ONE, ...ATTIC], ...own });
    expect(after).toMatchObject({ garage: { facts: { replicationFactor: 1, "nodesPerSite.attic": 2 } } });
    expect(refused).toEqual([]);
  });

  test("gives way to what the settings say, which is asked about then", () => {
    const moved = { nats: { replicas: 3, place: { site: "attic" } } };
    const { after, refused } = kept(
      { machines: RACK, platform: { nats: { replicas: 1 } } },
      { machines: [...RACK, ...ATTIC], platform: moved },
    );
    expect(after).toEqual({ nats: { volumes: { nats: ["attic/agent"] }, facts: { replicas: 3 } } });
    expect(new Set(refused)).toEqual(new Set(["release-reshaped"]));
  });

  test("is what the region can hold where it has no room for it any more, which is asked about too", () => {
    const { after, refused } = kept(
      { machines: [...RACK, ...ATTIC], platform: { openbao: {} } },
      { machines: RACK.slice(1), platform: { openbao: {} } },
    );
    expect(after).toEqual({ openbao: { volumes: { openbao: ["rack/server"] }, facts: { replicas: 1 } } });
    expect(refused).toContain("release-reshaped");
  });

  test("stays in a site whose machines come and go now, and does not in one that lets no pod in", () => {
    const machines = [...RACK, ...ATTIC];
    const server = (more: object) => ({ machines, siteSettings: { rack: { pools: { server: more } } } });
    const grown = (more: object) =>
      kept({ machines: RACK, platform: { loki: {} } }, { ...server(more), platform: { loki: {} } });
    const asleep = grown({ intermittent: true });
    expect(asleep.after).toEqual(asleep.before);
    expect(asleep.refused).toEqual(["volume-on-intermittent"]);
    const closed = grown({ taints: ["dedicated=etcd:NoSchedule"] });
    expect(closed.after).toMatchObject({ loki: { volumes: { loki: ["attic/agent"] } } });
    expect(closed.refused).toEqual(["release-reshaped"]);
  });

  test("is not known of a record that an earlier version left: then nothing is kept and nothing is asked", () => {
    const earlier = parseDeployed({ ...deployedOf({ machines: RACK, platform: { nats: {} } }), lasting: undefined });
    const settings = regionOf({ machines: [...RACK, ...ATTIC], platform: { nats: {} }, accept });
    expect(keepingWhatRuns(settings, earlier)).toEqual(settings);
    expect(evaluateGuardrails(settings, earlier).refused).toEqual([]);
  });

  test("leaves a release without data free to go", () => {
    const wanted = { platform: { kyverno: {}, keda: {} } };
    expect(lastingOf(regionOf(wanted))).toEqual({});
  });
});
