import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRegionPlans } from "../../stacks/region-plan.ts";
import { parseHostKey } from "../../stacks/settings/host-key.ts";
import { labelKeyRule, parseTaint } from "../../stacks/settings/labels.ts";
import { describeFound, formatPath } from "../../stacks/settings/problem.ts";
import { rawConfigRule } from "../../stacks/settings/raw-config.ts";
import { compareK3sVersions, parseK3sVersion } from "../../stacks/settings/version.ts";
import { goodFixture } from "./settings-fixtures.ts";

describe("k3s releases", () => {
  test.each([
    ["v1.36.3+k3s1", { minor: 36, patch: 3, candidate: Infinity, build: 1 }],
    ["v1.35.0-rc12+k3s10", { minor: 35, patch: 0, candidate: 12, build: 10 }],
  ])("%s is one", (text, parts) => expect(parseK3sVersion(text)).toEqual(parts));

  test.each(["1.36.3+k3s1", "v1.36+k3s1", "v1.36.3", "v1.36.3-k3s1", "v2.0.0+k3s1", "v1.36.3+k3s1 ", "latest", ""])(
    "%j is none",
    (text) => expect(parseK3sVersion(text)).toBeUndefined(),
  );

  test("are in order by minor, patch, candidate and build as numbers", () => {
    const order = [
      "v1.9.9+k3s9",
      "v1.35.6-rc2+k3s1",
      "v1.35.6-rc10+k3s1",
      "v1.35.6+k3s2",
      "v1.35.6+k3s10",
      "v1.35.10+k3s1",
      "v1.36.0+k3s1",
    ].map((text) => parseK3sVersion(text)!);
    for (const [index, version] of order.entries()) {
      for (const [otherIndex, other] of order.entries()) {
        expect(Math.sign(compareK3sVersions(version, other))).toBe(Math.sign(index - otherIndex));
      }
    }
  });
});

describe("host keys", () => {
  const { sites } = goodFixture("minimal").settings as never as {
    sites: { rack: { pools: { control: { machines: { "rack-a": { hostKey: string } } } } } };
  };
  const key = sites.rack.pools.control.machines["rack-a"].hostKey;

  test("keep type and key, and lose the comment", () => {
    expect(parseHostKey(key)).toBe(key);
    expect(parseHostKey(`  ${key} root@rack-a\n`)).toBe(key);
  });

  test("of every length but the right one are refused", () => {
    const [type, base64 = ""] = key.split(" ");
    const blob = Buffer.from(base64, "base64");
    for (let length = 0; length < blob.length; length++) {
      expect(parseHostKey(`${type} ${blob.subarray(0, length).toString("base64")}`)).toBeUndefined();
    }
    expect(parseHostKey(`${type} ${Buffer.concat([blob, Buffer.alloc(4)]).toString("base64")}`)).toBeUndefined();
  });

  test("of other types than sshd's are refused", () => {
    expect(parseHostKey("ssh-dss AAAAB3NzaC1kc3MAAAAA")).toBeUndefined();
    expect(parseHostKey("sk-ssh-ed25519@openssh.com AAAA")).toBeUndefined();
  });

  test("no text makes the reader fail", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseHostKey(`ssh-ed25519 ${text}`)).toBeUndefined();
      }),
    );
  });
});

describe("labels and taints", () => {
  test.each(["tier", "example.com/tier", "node.kubernetes.io/pool", "a.b_c-D", "x".repeat(63)])("label %s", (key) =>
    expect(labelKeyRule(key)).toBeUndefined(),
  );

  test.each([
    "topology.kubernetes.io/region",
    "kubernetes.io/hostname",
    "node.kubernetes.io/instance-type",
    "hybrid-k3s/managed",
    "p2p.k3s.cattle.io/enabled",
    "svccontroller.k3s.cattle.io/lbpool",
    "node-role.kubernetes.io/worker",
    "node-restriction.kubernetes.io/pci",
    "x".repeat(64),
    "-tier",
    "Example.com/tier",
    "",
  ])("no label %s", (key) => expect(labelKeyRule(key)).toBeDefined());

  test.each([
    ["dedicated=control:NoSchedule", { key: "dedicated", value: "control", effect: "NoSchedule" }],
    ["example.com/gpu:PreferNoSchedule", { key: "example.com/gpu", value: "", effect: "PreferNoSchedule" }],
    ["a=:NoExecute", { key: "a", value: "", effect: "NoExecute" }],
  ])("taint %s", (text, taint) => expect(parseTaint(text)).toEqual(taint));

  test.each(["a", "a=b", "a:noschedule", ":NoSchedule", "a=b=c:NoSchedule", "a b:NoSchedule", "a=b c:NoSchedule"])(
    "no taint %s",
    (text) => expect(parseTaint(text)).toBeUndefined(),
  );
});

test("raw k3s configuration: dangerous keys and their short forms are refused, others pass", () => {
  const refused = [
    "token",
    "t",
    "server",
    "cluster-init",
    "cluster-init+",
    "node-ip",
    "service-cidr",
    "data-dir",
    "vpn-auth",
  ];
  expect(refused.filter((key) => rawConfigRule(key) === undefined)).toEqual([]);
  const free = ["disable", "write-kubeconfig-mode", "etcd-snapshot-schedule-cron", "kube-apiserver-arg", "constructor"];
  expect(free.filter((key) => rawConfigRule(key) !== undefined)).toEqual([]);
});

test("paths are written the way people type them", () => {
  expect(formatPath(["sites", "rack", "pools", "control", "taints", 0])).toBe("sites.rack.pools.control.taints[0]");
  expect(formatPath(["labels", "example.com/tier"])).toBe('labels["example.com/tier"]');
  expect(formatPath(["regions.yaml", "regions"])).toBe("regions.yaml.regions");
});

test("what was found fits on a line and gives no secret away", () => {
  expect(describeFound(undefined)).toBe("nothing");
  expect(describeFound(null)).toBe("nothing");
  expect(describeFound([])).toBe("an empty list");
  expect(describeFound({ password: "hunter2" })).toBe("an object");
  expect(describeFound("two\nlines")).toBe(String.raw`"two\nlines"`);
  expect(describeFound("x".repeat(100))).toBe(`"${"x".repeat(60)}…"`);
  expect(describeFound("https://me:hunter2@example.net")).toBe('"https://…@example.net"');
  expect(describeFound("-----BEGIN RSA PRIVATE KEY-----")).toBe("a private key (not shown)");
});

describe("the address plan", () => {
  test("of this repository gives each region its derived ranges", () => {
    const plans = parseRegionPlans(readFileSync(new URL("../../regions.yaml", import.meta.url), "utf8"));
    expect(plans).toContainEqual({ name: "tokyo", id: 1, pods: "10.66.0.0/16", services: "10.67.0.0/16" });
  });

  test("throws all its problems", () => {
    expect(() => parseRegionPlans({ regions: { a: { id: -1 }, b: {} } })).toThrow(
      "2 problems in the settings:\n  regions.yaml.regions.a.id: found -1 · allowed a whole number from 0 to 63",
    );
  });
});
