import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  canonicalCidr,
  cidrHoldsHost,
  cidrPrefix,
  cidrsOverlap,
  derivedRanges,
  isCidr,
  isIpv4Address,
  MAX_REGION_ID,
  nodeCapacity,
} from "../../components/network/cidr.ts";
import { byName, isDnsLabel, isDnsName, isHost, isLabelKey, isLabelValue } from "../../components/network/names.ts";
import { parseDuration } from "../../components/network/units.ts";

const address = fc.ipV4();
const range = fc.tuple(address, fc.integer({ min: 0, max: 32 })).map(([host, prefix]) => `${host}/${prefix}`);

describe("IPv4 addresses and ranges", () => {
  test.each(["0.0.0.0", "10.20.0.11", "255.255.255.255"])("%s is an address", (text) =>
    expect(isIpv4Address(text)).toBe(true),
  );

  test.each([
    "",
    "10.20.1",
    "10.20.0.011",
    "10.20.0.256",
    "10.20.0.1.",
    ".10.20.0.1",
    "10.20.0.1/24",
    "::1",
    "1.2.3.4\n",
  ])("%j is no address", (text) => expect(isIpv4Address(text)).toBe(false));

  test.each(["0.0.0.0/0", "10.20.0.0/24", "10.20.0.7/24", "10.20.0.7/32"])("%s is a range", (text) =>
    expect(isCidr(text)).toBe(true),
  );

  test.each(["10.20.0.0", "10.20.0.0/33", "10.20.0.0/024", "10.20.0.0/", "10.20.0.0/24/24", "10.20.0/24", "/24"])(
    "%j is no range",
    (text) => expect(isCidr(text)).toBe(false),
  );

  test("what is no range is refused by name", () => {
    expect(() => canonicalCidr("10.20.0.0")).toThrow('"10.20.0.0" is not an IPv4 range such as 10.20.0.0/24');
  });

  test("the canonical form has no bits behind the prefix, and is its own canonical form", () => {
    expect(canonicalCidr("10.20.0.7/24")).toBe("10.20.0.0/24");
    expect(canonicalCidr("10.20.0.7/0")).toBe("0.0.0.0/0");
    fc.assert(
      fc.property(range, (cidr) => {
        expect(canonicalCidr(canonicalCidr(cidr))).toBe(canonicalCidr(cidr));
      }),
    );
    fc.assert(
      fc.property(range, (cidr) => {
        expect(cidrPrefix(canonicalCidr(cidr))).toBe(cidrPrefix(cidr));
      }),
    );
  });

  test.each([
    ["10.20.0.0/24", "10.20.0.0/24", true],
    ["10.20.0.0/16", "10.20.7.0/24", true],
    ["10.20.0.0/24", "10.20.1.0/24", false],
    ["100.64.0.0/10", "100.127.255.255/32", true],
    ["100.64.0.0/10", "100.128.0.0/32", false],
    ["0.0.0.0/0", "255.255.255.255/32", true],
  ])("%s and %s overlap: %s", (one, other, expected) => expect(cidrsOverlap(one, other)).toBe(expected));

  test("overlap is mutual, a range overlaps itself, and one of two that overlap holds the other", () => {
    fc.assert(
      fc.property(range, range, (one, other) => {
        expect(cidrsOverlap(one, other)).toBe(cidrsOverlap(other, one));
      }),
    );
    fc.assert(
      fc.property(range, (cidr) => {
        expect(cidrsOverlap(cidr, cidr)).toBe(true);
      }),
    );
    fc.assert(
      fc.property(range, range, (one, other) => {
        const shorter = Math.min(cidrPrefix(one), cidrPrefix(other));
        const widened = [one, other].map((cidr) => canonicalCidr(`${cidr.split("/")[0]!}/${shorter}`));
        expect(cidrsOverlap(one, other)).toBe(widened[0] === widened[1]);
      }),
    );
  });

  test("a range holds the hosts between its first and last address", () => {
    expect(cidrHoldsHost("10.20.0.0/24", "10.20.0.1")).toBe(true);
    expect(cidrHoldsHost("10.20.0.0/24", "10.20.0.254")).toBe(true);
    expect(cidrHoldsHost("10.20.0.0/24", "10.20.0.0")).toBe(false);
    expect(cidrHoldsHost("10.20.0.0/24", "10.20.0.255")).toBe(false);
    expect(cidrHoldsHost("10.20.0.0/24", "10.20.1.1")).toBe(false);
    fc.assert(
      fc.property(range, address, (cidr, host) => {
        if (cidrHoldsHost(cidr, host)) expect(cidrsOverlap(cidr, `${host}/32`)).toBe(true);
      }),
    );
  });

  test.each([
    ["10.64.0.0/16", 256],
    ["10.64.0.0/22", 4],
    ["10.64.0.0/24", 1],
    ["10.64.0.0/25", 0],
  ])("%s holds the pods of %d nodes", (pods, nodes) => expect(nodeCapacity(pods)).toBe(nodes));
});

describe("derived ranges", () => {
  const id = fc.integer({ min: 0, max: MAX_REGION_ID });

  test("follow from the region's number", () => {
    expect(derivedRanges(0)).toEqual({ pods: "10.64.0.0/16", services: "10.65.0.0/16" });
    expect(derivedRanges(63)).toEqual({ pods: "10.190.0.0/16", services: "10.191.0.0/16" });
  });

  test("of two regions never overlap, nor do pods and services of one, nor leave 10.64.0.0 to 10.191.255.255", () => {
    fc.assert(
      fc.property(id, id, (one, other) => {
        const [a, b] = [derivedRanges(one), derivedRanges(other)];
        expect(cidrsOverlap(a.pods, b.services)).toBe(false);
        expect(cidrsOverlap(a.pods, b.pods)).toBe(one === other);
        expect(cidrsOverlap(a.services, b.services)).toBe(one === other);
        for (const cidr of [a.pods, a.services]) {
          expect(canonicalCidr(cidr)).toBe(cidr);
          expect(["10.64.0.0/10", "10.128.0.0/10"].some((block) => cidrsOverlap(block, cidr))).toBe(true);
        }
      }),
    );
  });

  test.each([-1, 64, 0.5, Number.NaN])("there is no region number %d", (number) =>
    expect(() => derivedRanges(number)).toThrow(`region number ${number} is not a whole number from 0 to 63`),
  );
});

describe("names", () => {
  test.each(["a", "rack-1", "0", "x".repeat(63)])("%s is a DNS label", (name) => expect(isDnsLabel(name)).toBe(true));
  test.each(["", "-a", "a-", "A", "a.b", "a_b", "x".repeat(64)])("%j is no DNS label", (name) =>
    expect(isDnsLabel(name)).toBe(false),
  );

  test("a DNS name is made of labels and at most 253 characters long", () => {
    expect(isDnsName("a.example.net")).toBe(true);
    expect(isDnsName("a..net")).toBe(false);
    expect(isDnsName("a.example.net.")).toBe(false);
    expect(isDnsName(`${"a.".repeat(126)}a`)).toBe(true);
    expect(isDnsName(`${"a.".repeat(127)}a`)).toBe(false);
  });

  test.each(["10.20.0.11", "rack-a", "rack-a.example.net", "1and1.example"])("%s is a host", (text) =>
    expect(isHost(text)).toBe(true),
  );
  test.each(["10.20.1", "10.20.0.256", "1", "a:22", "https://a", "*.example.net", "::1", ""])("%j is no host", (text) =>
    expect(isHost(text)).toBe(false),
  );

  test("label keys and values", () => {
    expect(["a", "a.b/c_D", "a/b"].filter(isLabelKey)).toHaveLength(3);
    expect(["", "/a", "a/", "a/b/c", "a b", "A.b/c"].filter(isLabelKey)).toEqual([]);
    expect(["", "7", "a.b_c-D"].filter(isLabelValue)).toHaveLength(3);
    expect([" ", "-a", "a:b", "x".repeat(64)].filter(isLabelValue)).toEqual([]);
  });

  test("names are ordered by code point", () => {
    expect(["b", "a", "B", "a1", "a"].sort(byName)).toEqual(["B", "a", "a", "a1", "b"]);
  });
});

describe("durations", () => {
  test.each([
    ["90s", 90],
    ["5m", 300],
    ["2h", 7200],
    ["1h30m", 5400],
    ["1h0m5s", 3605],
  ])("%s is %d seconds", (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  test.each(["", "0s", "5", "5 m", "1.5h", "-5m", "30m1h", "5M", "1d", "5m5m", "999999999s"])("%j is none", (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );

  test("units add up", () => {
    const part = fc.integer({ min: 0, max: 9999 });
    fc.assert(
      fc.property(part, part, fc.integer({ min: 1, max: 9999 }), (h, m, s) => {
        expect(parseDuration(`${h}h${m}m${s}s`)).toBe(h * 3600 + m * 60 + s);
      }),
    );
  });
});
