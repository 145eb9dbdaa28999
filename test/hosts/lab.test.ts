import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeHosts } from "../support/lab/describe-hosts.ts";
import { createLab, type Lab } from "../support/lab/lab.ts";
import { labPlan } from "../support/lab/lab-sites.ts";
import { networkProgram } from "../support/lab/network.ts";
import { eventually, runShell } from "../support/lab/run.ts";
import { execute } from "../support/lab/ssh.ts";
import { openFolder, sweep, traces } from "../support/lab/teardown.ts";

const labModule = fileURLToPath(new URL("../support/lab/lab.ts", import.meta.url));

describeHosts("a lab of Debian hosts", () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await createLab(labPlan(1, 1));
  });
  afterAll(() => {
    lab.close();
  });

  it("boots hosts that run systemd and know their names", async () => {
    const { stdout } = await lab.exec("server-a", "hostname; cat /proc/1/comm; systemctl --failed --no-legend --plain");
    expect(stdout).toBe("server-a\nsystemd\n");
  });

  it("lets one user become root by sudo", async () => {
    const { stdout } = await lab.exec("agent-a", "id -un; sudo -n id -un", { user: "ops" });
    expect(stdout).toBe("ops\nroot\n");
  });

  it("refuses a host whose key is not the pinned one", async () => {
    const login = { ...lab.login("server-a"), hostKey: lab.host("agent-a").hostKey };
    const refused = await execute(login, "true", 20);
    expect(refused.code).toBe(255);
    expect(refused.stderr).toContain("Host key verification failed");
  });

  it("gives a kubelet cgroups that it can write to", async () => {
    const program =
      "cd /sys/fs/cgroup; for f in memory cpu pids .; do [ -d $f ] && mkdir -p $f/kubepods-test && rmdir $f/kubepods-test && echo yes; done; true";
    expect((await lab.exec("server-a", program)).stdout).toContain("yes");
  });

  it("lets sites talk, then only UDP and ping, then not at all", async () => {
    const ping = "ping -c 1 -W 2 agent-a >/dev/null";
    const connect = "timeout 2 bash -c ': </dev/tcp/10.213.2.11/22'";
    const tries = async (): Promise<boolean[]> => [
      (await lab.exec("server-a", ping, { mayFail: true })).code === 0,
      (await lab.exec("server-a", connect, { mayFail: true })).code === 0,
    ];
    expect(await tries()).toEqual([true, true]);
    lab.internet("udp");
    expect(await tries()).toEqual([true, false]);
    lab.internet("cut");
    expect(await tries()).toEqual([false, false]);
    lab.internet("open");
    expect(await tries()).toEqual([true, true]);
  });

  it("keeps a host's disk over a power cut, and its key over a wipe", async () => {
    await lab.exec("agent-a", "echo kept >/root/file; sync");
    lab.kill("agent-a");
    expect((await lab.exec("agent-a", "true", { mayFail: true, seconds: 20 })).code).toBe(255);
    await lab.start("agent-a");
    expect((await lab.exec("agent-a", "cat /root/file")).stdout).toBe("kept\n");
    await lab.start("agent-a", { wipe: true });
    expect((await lab.exec("agent-a", "cat /root/file", { mayFail: true })).code).toBe(1);
  });

  it("can give a wiped host another key", async () => {
    const before = lab.host("agent-a").hostKey;
    await lab.start("agent-a", { wipe: true, newHostKey: true });
    expect(lab.host("agent-a").hostKey).not.toBe(before);
    expect((await execute({ ...lab.login("agent-a"), hostKey: before }, "true", 20)).code).toBe(255);
  });

  it("refuses a second lab on the same addresses", async () => {
    await expect(createLab(labPlan(1, 0))).rejects.toThrow("10.213.1.0/24 is in use on this machine");
  });

  it("leaves nothing behind, however often it is closed", () => {
    lab.close();
    lab.close();
    expect(traces(lab.prefix)).toEqual([]);
  });
});

describeHosts("a lab whose process has gone", () => {
  const plan = {
    sites: { far: { lan: "10.213.9.0/24" } },
    hosts: [{ name: "lost", site: "far", address: "10.213.9.11" }],
  };
  const start = (ending: string) =>
    spawnSync(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `import { createLab } from ${JSON.stringify(labModule)};
         const lab = await createLab(${JSON.stringify(plan)}); console.log(lab.prefix); ${ending}`,
      ],
      { encoding: "utf8", timeout: 60_000 },
    );

  it("is removed at once when the process was killed", async () => {
    const child = start('process.kill(process.pid, "SIGKILL");');
    const prefix = child.stdout.trim();
    expect(prefix, child.stderr).toMatch(/^hk[0-9a-z]{4}$/);
    await eventually("the guard to remove the lab", { seconds: 20 }, () =>
      Promise.resolve(traces(prefix).length === 0 ? true : undefined),
    );
  });

  it("is removed by the next lab when the machine itself went down", () => {
    const prefix = "hk0000";
    const folder = openFolder(prefix);
    runShell(networkProgram({ ...plan, prefix }), 30);
    writeFileSync(join(folder, "owner"), "1 0\n");
    expect(traces(prefix)).not.toEqual([]);
    expect(sweep()).toEqual([prefix]);
    expect(traces(prefix)).toEqual([]);
  });

  it("closes itself when its process ends with an error", () => {
    const child = start('throw new Error("a test that forgot to close");');
    expect(child.status).toBe(1);
    expect(traces(child.stdout.trim())).toEqual([]);
  });
});
