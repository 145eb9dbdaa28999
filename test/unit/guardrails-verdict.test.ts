import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { evaluateGuardrails, guardrailTable, renderRefusal } from "../../stacks/guardrails.ts";
import { deployedOf, type MachineLine, regionOf, SERVERS } from "./guardrails-cases.ts";

const [a, b] = SERVERS as readonly [MachineLine, MachineLine, MachineLine];

describe("the verdict", () => {
  test("on good settings is empty", () => {
    expect(evaluateGuardrails(regionOf(), undefined)).toEqual({ refused: [], accepted: [], warnings: [] });
    expect(evaluateGuardrails(regionOf(), deployedOf())).toEqual({ refused: [], accepted: [], warnings: [] });
  });

  test("refuses what is asked about until the settings accept it, and then tells the reason", () => {
    const { refused } = evaluateGuardrails(regionOf({ machines: [a, b] }), undefined);
    expect(refused).toMatchObject([{ id: "even-servers", severity: "ask" }]);
    const accept = { "even-servers": "until the budget allows three" };
    expect(evaluateGuardrails(regionOf({ machines: [a, b], accept }), undefined)).toEqual({
      refused: [],
      accepted: [{ ...refused[0], acceptedBecause: "until the budget allows three" }],
      warnings: [],
    });
  });

  test("warns of a single server, unless that is accepted", () => {
    const { refused, warnings } = evaluateGuardrails(regionOf({ machines: [a] }), undefined);
    expect(refused).toEqual([]);
    expect(warnings).toMatchObject([{ id: "single-server", severity: "warn" }]);
    const accept = { "single-server": "a test cluster" };
    const verdict = evaluateGuardrails(regionOf({ machines: [a], accept }), undefined);
    expect(verdict.warnings).toEqual([]);
    expect(verdict.accepted).toMatchObject([{ id: "single-server", acceptedBecause: "a test cluster" }]);
  });

  test("warns of a reason where there is nothing to accept", () => {
    const { refused, accepted, warnings } = evaluateGuardrails(
      regionOf({ accept: { "even-servers": "why" } }),
      undefined,
    );
    expect([refused, accepted]).toEqual([[], []]);
    expect(warnings.map(({ message }) => message)).toEqual([
      "accept.even-servers: found a reason, but nothing to accept · allowed an entry for something to accept · fix: remove accept.even-servers",
    ]);
  });
});

test("a refusal tells every finding, its reason, and how to accept what may be accepted", () => {
  const settings = regionOf({
    machines: [["attic/server A 192.168.1.5"], b],
    version: "v1.36.2+k3s1",
    accept: { "routed-sites": "the router joins them" },
  });
  expect(renderRefusal(evaluateGuardrails(settings, undefined).refused)).toBe(
    [
      "3 guardrails refuse this update. Nothing was touched.",
      "  even-servers: an even number of servers stands no more failures than one server fewer, and has one more that can fail",
      "    sites: found 2 servers · allowed an odd number of servers · fix: run 3 servers, or 1",
      "    or accept it: pulumi config set --path 'hybrid-k3s:accept.even-servers' '<why>'",
      "  name-rules: names become node names, host names and label values, which are RFC 1123 labels",
      '    sites.attic.pools.server.machines.A: found the name "A" · allowed at most 63 of a-z, 0-9 and -, with a letter or digit at both ends · fix: rename it before it is deployed: a name is identity, and renaming a machine replaces it',
      "  servers-span-sites: etcd needs LAN latency between servers: across sites it loses its leader whenever the link is slow",
      "    sites: found servers on attic, rack · allowed all servers of a region on one site · fix: keep the servers of one site and make the others agents",
    ].join("\n"),
  );
});

test("a refusal by one guardrail is told in the singular", () => {
  expect(renderRefusal(evaluateGuardrails(regionOf({ machines: [a, b] }), undefined).refused)).toMatch(
    /^1 guardrail refuses this update\./,
  );
});

test("docs/guardrails.md holds the table that `npm run guardrails` prints", () => {
  const page = readFileSync(new URL("../../docs/guardrails.md", import.meta.url), "utf8");
  expect(page).toContain(`\n${guardrailTable()}\n`);
});
