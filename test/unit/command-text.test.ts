import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spawnSync } from "node:child_process";
import {
  parseCommandText,
  remoteCommandText,
  shellQuote,
  stationCommandText,
} from "../../components/host/command-text.ts";

const limits = { timeoutSeconds: 600, lockSeconds: 120 };
const parameterName = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,12}$/).filter((name) => name !== "ACTION");
const call = fc.record({
  script: fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/),
  action: fc.stringMatching(/^[a-z][a-z-]{0,8}$/),
  parameters: fc.dictionary(parameterName, fc.string({ unit: "grapheme" }), { maxKeys: 4, noNullPrototype: true }),
});

describe("command text", () => {
  it("reads back as the call it was made from, whatever the values hold", () => {
    fc.assert(
      fc.property(call, (one) => {
        expect(parseCommandText(remoteCommandText(one, limits))).toEqual(one);
        expect(parseCommandText(stationCommandText(one))).toEqual(one);
      }),
    );
  });

  it("is no call of ours without its header", () => {
    expect(parseCommandText("echo hello")).toBeUndefined();
  });

  it("gives the shell exactly the value, quotes and line breaks included", () => {
    const value = 'it\'s\n$HOME `id` "x" \\ end';
    expect(spawnSync("sh", ["-c", `printf %s ${shellQuote(value)}`], { encoding: "utf8" }).stdout).toBe(value);
  });

  it("says in words that another run holds the host, and that the script ran out of time", () => {
    const text = remoteCommandText({ script: "k3s-node", action: "install", parameters: {} }, limits);
    expect(text).toContain("another run holds /var/lock/hybrid-k3s.lock on this host for over 120 s");
    expect(text).toContain("the script was ended after its 600 s");
    expect(spawnSync("sh", ["-n", "-c", text]).status).toBe(0);
  });
});
