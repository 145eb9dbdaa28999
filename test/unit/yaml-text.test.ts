import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { yamlText } from "../../components/yaml-text.ts";

/** Texts that one reader or the other takes for something else than a text. */
const WORDS = [
  "yes",
  "No",
  "on",
  "off",
  "y",
  "n",
  "~",
  "null",
  "true",
  "0b11",
  "0o7",
  "010",
  "1_000",
  "12:30:45",
  "1e3",
];

describe("YAML for programs in Go", () => {
  it.each(WORDS)("keeps %s a text, as a value and as a key", (word) => {
    const text = yamlText({ [word]: [word] });
    for (const version of ["1.1", "1.2"] as const) expect(parse(text, { version })).toEqual({ [word]: [word] });
  });

  it("says the same to readers of both versions, whatever the text", () => {
    fc.assert(
      fc.property(fc.string(), (word) => {
        const text = yamlText({ word });
        for (const version of ["1.1", "1.2"] as const) expect(parse(text, { version })).toEqual({ word });
      }),
    );
  });

  it("leaves names, versions, addresses and numbers as people write them", () => {
    const text = "site: tokyo\nversion: v1.36.3\naddress: 10.20.0.11\ncount: 3\nlive: true\n";
    expect(yamlText(parse(text))).toBe(text);
  });

  it("has neither anchors nor broken lines", () => {
    const place = { site: "tokyo" };
    expect(yamlText({ one: place, two: place, long: "word ".repeat(40).trim() })).toBe(
      `one:\n  site: tokyo\ntwo:\n  site: tokyo\nlong: ${"word ".repeat(40).trim()}\n`,
    );
  });
});
