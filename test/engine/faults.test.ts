import { afterEach, describe, expect, test } from "vitest";
import type { Rehearsal } from "../../rehearsal/rehearsal.ts";
import { fingerprint } from "../../rehearsal/world/host.ts";
import {
  AGENTS,
  fine,
  hostKey,
  machine,
  openSample,
  sampleSettings,
  scriptsDuring,
  SERVERS,
  stepsOf,
} from "./sample.ts";

let rehearsal: Rehearsal;
afterEach(async () => {
  await rehearsal.close();
});

/** What a failed command printed: the plugin quotes the whole command in front of it. */
const printed = (failure: string | undefined): string => failure?.split('":\n').at(-1)?.trim() ?? "";

describe("a host that cannot be used", () => {
  test("another host key: both fingerprints are named, and the host is not touched", async () => {
    rehearsal = await openSample();
    rehearsal.world.host("s-2").hostKey = hostKey("somebody else");
    const up = await rehearsal.up();
    expect(printed(up.failure)).toBe(
      [
        `SSH: the host key of s-2 (172.26.0.12 port 22) is not the pinned one · expected ${fingerprint(hostKey("s-2"))} · found ${fingerprint(hostKey("somebody else"))} · fix: if the host was reinstalled, set its new hostKey and raise its generation; if not, find out who answers there`,
        "nothing was changed by existing-host claim",
      ].join("\n"),
    );
    expect(rehearsal.world.host("s-2").claim).toBeUndefined();
    rehearsal.world.host("s-2").hostKey = hostKey("s-2");
    await fine(rehearsal.up());
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  });

  test("a host that is off: the phase, the address and the budget are named", async () => {
    rehearsal = await openSample(sampleSettings({ kubernetes: { connectTimeout: "1m" } }));
    rehearsal.world.host("a-1").alive = false;
    const up = await rehearsal.up();
    expect(printed(up.failure)).toBe(
      [
        "TCP: a-1 (172.26.0.21 port 22) did not answer within 60 s: ssh: connect to host 172.26.0.21 port 22: Connection timed out · fix: is it on, is the address right, does a firewall stand between?",
        "nothing was changed by existing-host claim",
      ].join("\n"),
    );
  });

  test("a host that boots slowly is waited for, inside the budget", async () => {
    rehearsal = await openSample(sampleSettings({ servers: { "s-1": machine("s-1", 11) }, agents: {} }));
    rehearsal.world.host("s-1").bootSeconds = 90;
    await fine(rehearsal.up());
    expect(rehearsal.world.durations.get("s-1-host")).toBeGreaterThan(90);
  });

  test("a host of another region is refused by its claim", async () => {
    rehearsal = await openSample(sampleSettings({ servers: { "s-1": machine("s-1", 11) }, agents: {} }));
    rehearsal.world.host("s-1").claim = "region=fsn1 machine=web-1";
    const up = await rehearsal.up();
    expect(printed(up.failure)).toBe(
      [
        "this host is in use already: found region=fsn1 machine=web-1 of another stack · allowed no claim, or this stack's",
        "fix: remove it from the other stack first · if this stack's state was lost: restore it (pulumi stack import), or, if nothing on the host is needed, delete /etc/hybrid-k3s/machine there",
        "script: existing-host claim ended with 1 on s-1 (172.26.0.11)",
      ].join("\n"),
    );
  });

  test("a download with another content: nothing is installed", async () => {
    rehearsal = await openSample(sampleSettings({ servers: { "s-1": machine("s-1", 11) }, agents: {} }));
    rehearsal.world.host("s-1").wrongDownloads = true;
    const up = await rehearsal.up();
    expect(printed(up.failure)).toContain("checksum of k3s v1.36.3+k3s1 does not match; nothing was installed");
    expect(rehearsal.world.host("s-1").k3s).toEqual({ datastore: false, running: false });
    rehearsal.world.host("s-1").wrongDownloads = false;
    await fine(rehearsal.up());
  });
});

describe("a run that breaks in the middle", () => {
  // A step of the install script: 1 the binary is fetched, 2 put in place, 3 the configuration, 4 the join, 5 the stop, 6 the start.
  test.each([1, 2, 3, 4, 5])(
    "SSH drops after %i steps of the second server's install; the next run heals",
    async (afterSteps) => {
      rehearsal = await openSample(sampleSettings({ agents: {} }));
      rehearsal.world.faults.add({
        kind: "ssh-dropped",
        host: "s-2",
        script: "k3s-node",
        action: "install",
        afterSteps,
      });
      const first = await rehearsal.up();
      expect(first.failure).toMatch(
        /^s-2-k3s: wait: remote command exited without exit status or exit signal: running /,
      );
      // The failed step saved nothing, so what follows it is still to be created.
      expect(stepsOf(await fine(rehearsal.preview()))).toEqual(
        expect.arrayContaining(["create s-2-k3s", "create s-2-member", "create s-3-k3s"]),
      );
      const scripts = await scriptsDuring(rehearsal, () => fine(rehearsal.up()));
      expect(scripts).toEqual([
        "k3s-node install s-2",
        "k3s-member join s-2",
        "k3s-node install s-3",
        "k3s-member join s-3",
      ]);
      expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
      expect(rehearsal.world.clusters).toHaveLength(1);
      expect(rehearsal.world.cluster("tokyo")?.live().sort()).toEqual(["s-1", "s-2", "s-3"]);
    },
  );

  test("SSH drops while a node leaves; the next run ends it", async () => {
    rehearsal = await openSample();
    await fine(rehearsal.up());
    rehearsal.world.faults.add({
      kind: "ssh-dropped",
      host: "s-1",
      script: "k3s-member",
      action: "leave",
      afterSteps: 2,
    });
    await rehearsal.configure(sampleSettings({ agents: { "a-1": AGENTS["a-1"] } }));
    const first = await rehearsal.up();
    expect(printed(first.failure)).toBe(
      "SSH: the connection to s-1 (172.26.0.11 port 22) broke while the script ran: client_loop: send disconnect: Broken pipe · fix: run again; every script takes up where it stopped",
    );
    expect(rehearsal.world.host("a-2").claim).toBeDefined();
    await fine(rehearsal.up());
    expect(rehearsal.world.cluster("tokyo")?.nodes.has("a-2")).toBe(false);
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  });

  test("a failed update leaves the record of the last successful one: the guardrails go on from what runs", async () => {
    rehearsal = await openSample();
    rehearsal.world.faults.add({ kind: "provider-error", resource: "s-1-k3s" });
    expect((await rehearsal.up()).failure).toBe("s-1-k3s: 500 Internal Server Error");
    expect(await rehearsal.deployed()).toBeUndefined();
    await fine(rehearsal.up());
    rehearsal.world.faults.add({ kind: "provider-error", resource: "s-2-k3s" });
    await rehearsal.configure(
      sampleSettings({ servers: { ...SERVERS, "s-2": machine("s-2", 12, { generation: 2 }) } }),
    );
    expect((await rehearsal.up()).failure).toBe("s-2-k3s: 500 Internal Server Error");
    const generations = (await rehearsal.deployed())?.nodes.map(({ name, generation }) => `${name} ${generation}`);
    expect(generations).toContain("s-2 1");
  });

  test("a provider that answers 500 fails its step alone, and the next run makes up for it", async () => {
    rehearsal = await openSample(sampleSettings({ platform: { "cert-manager": {} } }));
    rehearsal.world.faults.add({ kind: "provider-error", resource: "tokyo-cert-manager-namespace" });
    const first = await rehearsal.up();
    expect(first.failure).toBe("tokyo-cert-manager-namespace: 500 Internal Server Error");
    await fine(rehearsal.up());
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  });
});

describe("a server that is out", () => {
  test("with two of three servers dead, no node is taken out and nothing changes", async () => {
    rehearsal = await openSample();
    await fine(rehearsal.up());
    rehearsal.world.host("s-2").alive = false;
    rehearsal.world.host("s-3").alive = false;
    await rehearsal.configure(sampleSettings({ agents: { "a-1": AGENTS["a-1"] } }));
    const up = await rehearsal.up();
    expect(printed(up.failure)).toBe(
      [
        "API: s-1 (172.26.0.11 port 22) is reached, but the API of this server does not answer · fix: look at k3s there: systemctl status k3s; journalctl -u k3s -e",
        ...["s-2 (172.26.0.12 port 22)", "s-3 (172.26.0.13 port 22)"].map(
          (at) =>
            `TCP: ${at} did not answer within 300 s: ssh: connect to host ${at.slice(5, 16)} port 22: Connection timed out · fix: is it on, is the address right, does a firewall stand between?`,
        ),
        "nothing was changed by k3s-member leave",
      ].join("\n"),
    );
    expect(rehearsal.world.host("a-2").k3s.running).toBe(true);
  });

  test("a dead server is replaced through the others, and what stays on its host is said", async () => {
    rehearsal = await openSample();
    await fine(rehearsal.up());
    rehearsal.world.host("s-3").alive = false;
    const servers = { ...SERVERS, "s-3": machine("s-3b", 14, { generation: 2 }) };
    await rehearsal.configure(sampleSettings({ servers }));
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([
      "replace s-3-host",
      "replace s-3-k3s",
      "replace s-3-member",
    ]);
    await fine(rehearsal.up());
    const left = rehearsal.world.events.filter(({ text }) => text.startsWith("left as it is"));
    expect(left.map(({ text }) => text)).toEqual([
      "left as it is: TCP: s-3 (172.26.0.13 port 22) did not answer within 45 s: ssh: connect to host 172.26.0.13 port 22: Connection timed out · fix: is it on, is the address right, does a firewall stand between? · k3s and its data are still on it: when it is back, run /usr/local/bin/k3s-uninstall.sh or k3s-agent-uninstall.sh there, and rm -r /etc/hybrid-k3s",
    ]);
    expect(rehearsal.world.cluster("tokyo")?.live().sort()).toEqual(["s-1", "s-2", "s-3"]);
    expect(stepsOf(await fine(rehearsal.preview()))).toEqual([]);
  });
});
