import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { expect, test } from "vitest";
import { changedNames, hasUnknown, receive, send, UNKNOWN, valueAt } from "../../provider/protocol/wire.ts";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

test("secrets are unwrapped at any depth, and the top-level name that held one is remembered", () => {
  const message = struct.Struct.fromJavaScript({
    plain: 1,
    connection: { host: "h", key: { [SIGNATURE]: SECRET, value: "k" } },
    output: { [SIGNATURE]: OUTPUT, secret: true, value: "v" },
    later: { [SIGNATURE]: OUTPUT },
  });
  const { values, secrets } = receive(message);
  expect(values).toEqual({ plain: 1, connection: { host: "h", key: "k" }, output: "v", later: UNKNOWN });
  expect([...secrets].sort()).toEqual(["connection", "output"]);
});

test("named values travel as secrets", () => {
  const sent = send({ a: "x", b: "y" }, ["b"]).toJavaScript();
  expect(sent).toEqual({ a: "x", b: { [SIGNATURE]: SECRET, value: "y" } });
  expect(receive(send({ a: "x", b: "y" }, ["b"])).values).toEqual({ a: "x", b: "y" });
});

test("unknown values are found inside others, and differ from what they replace", () => {
  expect(hasUnknown({ list: ["a", UNKNOWN] })).toBe(true);
  expect(hasUnknown({ list: ["a"] })).toBe(false);
  expect(changedNames({ a: 1, b: { c: [1] }, __defaults: [] }, { a: 1, b: { c: [2] }, d: UNKNOWN })).toEqual([
    "b",
    "d",
  ]);
});

test("a dotted path leads into an object", () => {
  expect(valueAt({ metadata: { name: "x" } }, "metadata.name")).toBe("x");
  expect(valueAt({ metadata: "text" }, "metadata.name")).toBeUndefined();
});
