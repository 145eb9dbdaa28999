import { describe, expect, test } from "vitest";
import { said } from "./platform-settings.ts";

describe("settings of postgres with a mistake", () => {
  test.each([
    [
      { clusters: {} },
      "platform.postgres.clusters: found an empty object · allowed at least one cluster by its name · fix: write { main: {} }, or remove the release",
    ],
    [
      { clusters: { Main: {} } },
      'platform.postgres.clusters.Main: found the key "Main" · allowed a name of at most 50 lower-case letters, digits and - · fix: name the cluster by such a text',
    ],
    [
      { clusters: { main: { version: "18" } } },
      'platform.postgres.clusters.main.version: found "18" · allowed a PostgreSQL version with major and minor number · fix: write it like "18.4", in quotes',
    ],
    [
      { clusters: { main: { recover: { from: "old", until: "yesterday" } } } },
      'platform.postgres.clusters.main.recover.until: found "yesterday" · allowed a time with its zone, such as 2026-11-26T09:30:00Z · fix: write date and time with T between them and the zone, in quotes',
    ],
  ])("%j", (settings, message) => {
    expect(said({ postgres: settings })).toEqual([message]);
  });
});

describe("settings of nats with a mistake", () => {
  test.each([
    [
      { nkeys: ["SUAAA"] },
      'platform.nats.nkeys[0]: found "SUAAA" · allowed public keys of users, U and 55 letters and digits · fix: nk -gen user -pubout',
    ],
    [
      { gateway: { password: "example", remotes: { far: "nats://far:7222" } } },
      'platform.nats.gateway.remotes.far: found "nats://far:7222" · allowed a DNS name or an address, without scheme and port · fix: write where the other region answers',
    ],
  ])("%j", (settings, message) => {
    expect(said({ nats: settings })).toEqual([message]);
  });
});

describe("settings of cassandra with a mistake", () => {
  test.each([
    [
      { version: "5.0" },
      'platform.cassandra.version: found "5.0" · allowed a Cassandra version of three numbers · fix: write it like "5.0.6", in quotes',
    ],
  ])("%j", (settings, message) => {
    expect(said({ cassandra: settings })).toEqual([message]);
  });
});

describe("settings of valkey with a mistake", () => {
  test.each([
    [
      { memory: "256MiB" },
      'platform.valkey.memory: found "256MiB" · allowed a whole number of MiB from 32 to 65536 · fix: write how much it may hold',
    ],
  ])("%j", (settings, message) => {
    expect(said({ valkey: settings })).toEqual([message]);
  });
});

describe("settings of velero with a mistake", () => {
  test.each([
    [
      {},
      "platform.velero.bucket: found nothing · allowed an object with the keys accessKeyId, bucket, endpoint, prefix, region, secretAccessKey · fix: write it as an object",
    ],
  ])("%j", (settings, message) => {
    expect(said({ velero: settings })).toEqual([message]);
  });
});

describe("settings of pgedge with a mistake", () => {
  test.each([
    [
      { nodes: 0 },
      "platform.pgedge.nodes: found 0 · allowed a whole number from 1 to 9 · fix: remove the setting for what one site can hold",
    ],
  ])("%j", (settings, message) => {
    expect(said({ pgedge: settings })).toEqual([message]);
  });
});

describe("settings of garage with a mistake", () => {
  test.each([
    [
      { replicationFactor: 4 },
      "platform.garage.replicationFactor: found 4 · allowed 1, 2 or 3 · fix: write how many copies of each object there are",
    ],
  ])("%j", (settings, message) => {
    expect(said({ garage: settings })).toEqual([message]);
  });
});
