import type { Case, MachineLine } from "./guardrails-cases.ts";

const RACK: readonly MachineLine[] = [
  ["rack/server a 10.20.0.11"],
  ["rack/server b 10.20.0.12"],
  ["rack/server c 10.20.0.13"],
];
const [ONE] = RACK as readonly [MachineLine];
const ATTIC: readonly MachineLine[] = [
  ["attic/agent d 192.168.1.4"],
  ["attic/agent e 192.168.1.5"],
  ["attic/agent f 192.168.1.6"],
];
const BOTH = [...RACK, ...ATTIC];
const WORKERS: readonly MachineLine[] = [["rack/agent w 10.20.0.21"]];

/** What follows the two ways out of a move. */
const MOVE = (name: string, saving: string): string =>
  `to move it, ${saving}, leave platform.${name} out for one update, delete its PersistentVolumeClaims, and bring the data back in the new place`;
const PLACE =
  "allowed a place with all machines that its volumes may be on: they do not follow, and its pods wait for them";
const STREAMS = "save each stream (nats stream backup) before the update, and bring it back after it";

/** Where volumes are. Settings stand here as they are written: what is kept of what runs is not in them. */
const places: readonly Case[] = [
  { title: "before the first update", settings: { platform: { nats: {} } } },
  { title: "what runs", settings: { platform: { nats: {} } }, deployed: { platform: { nats: {} } } },
  {
    title: "a release that keeps nothing goes where it likes",
    settings: { machines: BOTH, platform: { kyverno: {}, keda: {} } },
    deployed: { machines: RACK, platform: { kyverno: {}, keda: {} } },
  },
  {
    title: "a release that goes",
    settings: { machines: BOTH },
    deployed: { machines: RACK, platform: { nats: {} } },
  },
  {
    title: "agents beside the servers in their site",
    settings: { machines: [...RACK, ...WORKERS], platform: { openbao: {} } },
    deployed: { machines: RACK, platform: { openbao: {} } },
  },
  {
    title: "a machine that goes, and others that stay",
    settings: { machines: RACK.slice(1), platform: { loki: {} } },
    deployed: { machines: RACK, platform: { loki: {} } },
  },
  {
    title: "another name of the pool that it is on",
    settings: {
      machines: [],
      sites: {
        rack: {
          provider: "existing",
          lan: "10.20.0.0/24",
          pools: {
            renamed: {
              role: "server",
              machines: {
                a: {
                  address: "10.20.0.11",
                  hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3B0nMw3sM0Y0Hj3O0Rr0Vw8Yt0S0a0Zx9zk2b1cQdE",
                },
              },
            },
          },
        },
      },
      platform: { loki: {} },
    },
    deployed: { machines: [ONE], platform: { loki: {} } },
  },
  {
    title: "agents of another site, which draw what stays in one",
    settings: { machines: BOTH, platform: { nats: {} } },
    deployed: { machines: RACK, platform: { nats: {} } },
    findings: [
      `platform.nats.place: found nats on attic/agent, with volumes on rack/server · ${PLACE} · fix: write platform.nats.place: { site: rack } to keep it there; ${MOVE("nats", "save each stream (nats stream backup)")}`,
    ],
  },
  {
    title: "all parts of a release that keep something, in one finding",
    settings: { machines: BOTH, platform: { "kube-prometheus-stack": { place: { site: "attic" } } } },
    deployed: { machines: RACK, platform: { "kube-prometheus-stack": {} } },
    findings: [
      `platform.kube-prometheus-stack.place: found prometheus, alertmanager, grafana on attic/agent, with volumes on rack/server · ${PLACE} · fix: write platform.kube-prometheus-stack.place: { site: rack } to keep it there; ${MOVE("kube-prometheus-stack", "back up its data")}`,
    ],
  },
  {
    title: "Longhorn, which has no volume of its own and everybody's",
    settings: { machines: BOTH, platform: { longhorn: { replicas: 3 } } },
    deployed: { machines: RACK, platform: { longhorn: { replicas: 3 } } },
    findings: [
      `platform.longhorn.place: found volumes on attic/agent, with volumes on rack/server · ${PLACE} · fix: write platform.longhorn.place: { site: rack } to keep it there; ${MOVE("longhorn", "back up its data")}`,
    ],
  },
  {
    title: "another pool of the site",
    settings: { machines: [...RACK, ...WORKERS], platform: { openbao: { replicas: 1, place: { pool: "agent" } } } },
    deployed: { machines: RACK, platform: { openbao: { replicas: 1 } } },
    findings: [
      `platform.openbao.place: found openbao on rack/agent, with volumes on rack/server · ${PLACE} · fix: let it run on rack/server as before: by platform.openbao.place, or by the pool's taints and intermittent; ${MOVE("openbao", "save it (bao operator raft snapshot save)")}`,
    ],
  },
  {
    title: "a pool that lets no pod in any more",
    settings: {
      machines: [...RACK, ...WORKERS],
      siteSettings: { rack: { pools: { server: { taints: ["dedicated=etcd:NoSchedule"] } } } },
      platform: { loki: {} },
    },
    deployed: { machines: RACK, platform: { loki: {} } },
    findings: [
      `platform.loki.place: found loki on rack/agent, with volumes on rack/server · ${PLACE} · fix: let it run on rack/server as before: by platform.loki.place, or by the pool's taints and intermittent; ${MOVE("loki", "back up its data")}`,
    ],
  },
  {
    title: "a machine of the pool that lets no pod in any more",
    settings: {
      machines: RACK,
      siteSettings: { rack: { pools: { server: { machines: { b: { taints: ["dedicated=etcd:NoExecute"] } } } } } },
      platform: { loki: {} },
    },
    deployed: { machines: RACK, platform: { loki: {} } },
    findings: [
      `platform.loki.place: found loki on rack/server, with volumes on rack/server · ${PLACE} · fix: let it run on rack/server as before: by platform.loki.place, or by the pool's taints and intermittent; ${MOVE("loki", "back up its data")}`,
    ],
  },
  {
    title: "another site, as the one where it was lets no pod in any more",
    settings: {
      machines: BOTH,
      siteSettings: { rack: { pools: { server: { taints: ["dedicated=etcd:NoSchedule"] } } } },
      platform: { loki: {} },
    },
    deployed: { machines: RACK, platform: { loki: {} } },
    findings: [
      `platform.loki.place: found loki on attic/agent, with volumes on rack/server · ${PLACE} · fix: let it run on rack/server as before: by platform.loki.place, or by the pool's taints and intermittent; ${MOVE("loki", "back up its data")}`,
    ],
  },
  {
    title: "several sites, and one of them now",
    settings: { machines: BOTH, platform: { loki: { place: { site: "attic" } } } },
    deployed: { machines: BOTH, platform: { loki: { place: { site: "any" } } } },
    findings: [
      `platform.loki.place: found loki on attic/agent, with volumes on rack/server · ${PLACE} · fix: write platform.loki.place: { site: any } to keep it there; ${MOVE("loki", "back up its data")}`,
    ],
  },
  {
    title: "a site that goes with all of its machines",
    settings: { machines: RACK, platform: { valkey: { size: "1GiB" } } },
    deployed: { machines: BOTH, platform: { valkey: { size: "1GiB" } } },
    findings: [
      `platform.valkey.place: found valkey on rack/server, with volumes on attic/agent, of which no machine is left · ${PLACE} · fix: leave a machine of attic/agent in the region; ${MOVE("valkey", "save its keys (valkey-cli --rdb)")}`,
    ],
  },
];

/** How many a release is. */
const sizes: readonly Case[] = [
  {
    title: "more servers of NATS beside several",
    settings: { machines: [...RACK, ...WORKERS, ["rack/agent x 10.20.0.22"]], platform: { nats: { replicas: 5 } } },
    deployed: { machines: RACK, platform: { nats: {} } },
  },
  {
    title: "three servers of NATS, where one ran alone",
    settings: { machines: RACK, platform: { nats: {} } },
    deployed: { machines: [ONE], platform: { nats: {} } },
    findings: [
      `platform.nats.replicas: found 3 · allowed 1, as deployed: a server that ran alone deletes its streams when it joins others · fix: write platform.nats.replicas: 1 to keep what runs; or ${STREAMS} (nats stream restore)`,
    ],
  },
  {
    title: "NATS on its own again, by a setting",
    settings: { machines: RACK, platform: { nats: { replicas: 1 } } },
    deployed: { machines: RACK, platform: { nats: {} } },
    findings: [
      `platform.nats.replicas: found 1 · allowed 3, as deployed: streams stay behind on the servers that go · fix: write platform.nats.replicas: 3 to keep what runs; or ${STREAMS} (nats stream restore)`,
    ],
  },
  {
    title: "more copies of OpenBao",
    settings: { machines: RACK, platform: { openbao: {} } },
    deployed: { machines: [ONE], platform: { openbao: {} } },
  },
  {
    title: "OpenBao and Vault without machines for three",
    settings: { machines: RACK.slice(1), platform: { openbao: {}, vault: {} } },
    deployed: { machines: RACK, platform: { openbao: {}, vault: {} } },
    findings: [
      "platform.openbao.replicas: found 1 · allowed 3, as deployed: the copies that stay wait for a majority of those that were there, and answer nobody until then · fix: write platform.openbao.replicas: 3, and leave it 3 machines, to keep what runs; or save it first (bao operator raft snapshot save), and take each copy that goes out of raft while all run (bao operator raft remove-peer)",
      "platform.vault.replicas: found 1 · allowed 3, as deployed: the copies that stay wait for a majority of those that were there, and answer nobody until then · fix: write platform.vault.replicas: 3, and leave it 3 machines, to keep what runs; or save it first (vault operator raft snapshot save), and take each copy that goes out of raft while all run (vault operator raft remove-peer)",
    ],
  },
  {
    title: "Garage in one more site, with room for what ran",
    settings: { machines: BOTH, platform: { garage: { nodesPerSite: 3 } } },
    deployed: { machines: RACK, platform: { garage: {} } },
  },
  {
    title: "Garage with a third node",
    settings: { machines: RACK, platform: { garage: {} } },
    deployed: { machines: RACK.slice(1), platform: { garage: {} } },
    findings: [
      "platform.garage.replicationFactor: found 3 · allowed 2, as deployed: Garage does not start with another factor than its layout was made for · fix: write platform.garage.replicationFactor: 2 to keep what runs; or copy all objects to another store, build Garage anew, and copy them back",
    ],
  },
  {
    title: "Garage in one more site, with fewer nodes in the first",
    settings: { machines: BOTH, platform: { garage: { nodesPerSite: 2 } } },
    deployed: { machines: RACK, platform: { garage: {} } },
    findings: [
      "platform.garage.nodesPerSite: found 2 in rack · allowed 3, as deployed: a node that goes takes along the copies that it has, and its share of the capacity · fix: let it have 3 machines in rack and remove platform.garage.nodesPerSite; or take each node that goes out of the layout first (garage layout remove, then apply), and wait until its copies are elsewhere",
    ],
  },
  {
    title: "Garage out of a site",
    settings: { machines: BOTH, platform: { garage: { place: { site: "attic" } } } },
    deployed: { machines: BOTH, platform: { garage: {} } },
    findings: [
      "platform.garage.nodesPerSite: found none in rack · allowed 2, as deployed: a node that goes takes along the copies that it has, and its share of the capacity · fix: let it have 2 machines in rack; or take each node that goes out of the layout first (garage layout remove, then apply), and wait until its copies are elsewhere",
    ],
  },
  {
    title: "more copies of a cache, which had no volume",
    settings: { machines: RACK, platform: { valkey: { replicas: 3, size: "1GiB" } } },
    deployed: { machines: RACK, platform: { valkey: {} } },
  },
  {
    title: "one more copy of several",
    settings: { machines: RACK, platform: { valkey: { replicas: 3, size: "1GiB" } } },
    deployed: { machines: RACK, platform: { valkey: { replicas: 2, size: "1GiB" } } },
  },
  {
    title: "copies of a store that was one",
    settings: { machines: RACK, platform: { valkey: { replicas: 3, size: "1GiB" } } },
    deployed: { machines: RACK, platform: { valkey: { size: "1GiB" } } },
    findings: [
      "platform.valkey.replicas: found 3 · allowed 1, as deployed: the other form begins with new volumes, empty; the old ones are left aside · fix: write platform.valkey.replicas: 1 to keep what runs; or save its keys (valkey-cli --rdb) before the update, and load them after it",
    ],
  },
  {
    title: "one copy of a store that was several",
    settings: { machines: RACK, platform: { valkey: { size: "1GiB" } } },
    deployed: { machines: RACK, platform: { valkey: { replicas: 3, size: "1GiB" } } },
    findings: [
      "platform.valkey.replicas: found 1 · allowed 3, as deployed: the other form begins with new volumes, empty; the old ones are left aside · fix: write platform.valkey.replicas: 3 to keep what runs; or save its keys (valkey-cli --rdb) before the update, and load them after it",
    ],
  },
  {
    title: "a store that becomes a cache",
    settings: { machines: RACK, platform: { valkey: {} } },
    deployed: { machines: RACK, platform: { valkey: { size: "1GiB" } } },
  },
  {
    title: "fewer nodes of pgEdge",
    settings: { machines: RACK, platform: { pgedge: { nodes: 1 } } },
    deployed: { machines: RACK, platform: { pgedge: {} } },
    findings: [
      "platform.pgedge.nodes: found 1 · allowed 3, as deployed: a node goes with its volumes, and with what it had not sent yet · fix: write platform.pgedge.nodes: 3 to keep what runs; or end all writes to the nodes that go, and wait until the others have theirs",
    ],
  },
  {
    title: "more nodes of pgEdge",
    settings: { machines: RACK, platform: { pgedge: {} } },
    deployed: { machines: RACK.slice(1), platform: { pgedge: {} } },
    findings: [
      "platform.pgedge.nodes: found 3 · allowed 2, as deployed: a new node starts empty, and gets only what is written from then on · fix: write platform.pgedge.nodes: 2 to keep what runs; or write platform.pgedge.values.pgEdge.nodes with all nodes, each new one with bootstrap: { mode: spock, sourceNode: n1 }",
    ],
  },
];

/** Cases of the guardrail that compares what data hangs on with what runs. */
export const reshapedCases: Readonly<Record<string, readonly Case[]>> = { "release-reshaped": [...places, ...sizes] };
