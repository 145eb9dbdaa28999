import { beforeEach, describe, expect, it } from "vitest";
import { stationCommandText } from "../../components/host/command-text.ts";
import { simulatedCommands } from "../../rehearsal/commands/simulated.ts";
import { World } from "../../rehearsal/world/world.ts";

const HOST_KEY = "ssh-ed25519 AAAA";
let world: World;

beforeEach(() => {
  world = new World();
  const given = { name: "a", endpoint: "10.0.0.1:22", address: "10.0.0.1", network: "r", hostKey: HOST_KEY };
  world.addHost(given);
});

/** One run of `pulumi up` on the firewall of the host. */
async function run(rules: string, action = "apply"): Promise<string> {
  const parameters = {
    TARGETS: `a root@10.0.0.1:22 ${HOST_KEY}`,
    CONNECT_SECONDS: "10",
    UNREACHABLE: "fail",
    ...(action === "apply" ? { CONFIRM_ACTION: "confirm" } : {}),
    LIMIT_SECONDS: "900",
    SCRIPT: "host-firewall",
    NODE_NAME: "a",
    ROLLBACK_SECONDS: "60",
    RULES: rules,
  };
  const done = await simulatedCommands(world).local({
    resource: "a-firewall",
    text: stationCommandText({ script: "host-firewall", action, parameters }),
    stdin: "",
    environment: {},
    timeoutSeconds: undefined,
    signal: new AbortController().signal,
    interpreter: ["/bin/bash", "-c"],
  });
  return done.stdout;
}

const changes = (): string[] => world.events.filter(({ kind }) => kind === "change").map(({ text }) => text);

describe("the host firewall in a rehearsal", () => {
  it("is changed, confirmed over a second connection, and then left alone", async () => {
    expect(await run("one")).toBe(
      "firewall: changed, and taken back in 60 s unless it is confirmed over a new connection\nfirewall: confirmed",
    );
    expect(await run("one")).toBe("firewall: unchanged\nfirewall: the confirmed rules are active");
    expect(changes()).toEqual(["firewall changed", "firewall confirmed"]);
    expect(world.host("a").firewall).toEqual({ confirmed: "one", pending: undefined, rolledBack: false });
  });

  it("that shuts this computer out is rolled back to what stood, which the next run says", async () => {
    await run("one");
    world.faults.add({ kind: "shut-out", host: "a" });
    await expect(run("two")).rejects.toThrow(
      /^exit status 76: running [^]*confirm: host-firewall confirm was not done on a \(10\.0\.0\.1 port 22\) over a new connection: ssh: connect to host 10\.0\.0\.1 port 22: Connection timed out\nthe host itself rolls back within a minute what host-firewall apply changed/,
    );
    expect(world.host("a").firewall).toMatchObject({ confirmed: "one", pending: undefined });
    expect(changes().slice(2)).toEqual(["firewall changed", "firewall rolled back"]);
    expect(await run("two")).toMatch(/^the change of the firewall before this one was rolled back/);
    expect(world.host("a").firewall).toMatchObject({ confirmed: "two", rolledBack: false });
  });

  it("is rolled back where the connection breaks before it can be confirmed", async () => {
    world.faults.add({ kind: "ssh-dropped", host: "a", script: "host-firewall", action: "confirm", afterSteps: 1 });
    await expect(run("one")).rejects.toThrow("over a new connection: no answer");
    expect(world.host("a").firewall).toMatchObject({ confirmed: undefined, pending: undefined, rolledBack: true });
  });

  it("is gone when it is removed", async () => {
    await run("one");
    expect(await run("one", "remove")).toBe("firewall: removed");
    expect(world.host("a").firewall.confirmed).toBeUndefined();
  });
});
