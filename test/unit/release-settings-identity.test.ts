import { describe, expect, test } from "vitest";
import { said } from "./platform-settings.ts";

describe("settings of keycloak with a mistake", () => {
  const good = { host: "id.example.com", database: { host: "main-rw.databases.svc", password: "example" } };

  test("has no host or database that nobody named", () => {
    expect(said({ keycloak: {} })).toEqual([
      "platform.keycloak.host: found nothing · allowed a DNS name · fix: write the name alone, in lower case, without a scheme or a path",
      "platform.keycloak.database: found nothing · allowed an object with the keys host, name, password, port, tls, user · fix: write it as an object",
    ]);
    expect(said({ keycloak: good })).toEqual([]);
  });

  test.each([
    [
      { host: "https://db" },
      'platform.keycloak.database.host: found "https://db" · allowed a DNS name or an address of a PostgreSQL server · fix: write it without a scheme and a port',
    ],
    [
      { port: 0 },
      "platform.keycloak.database.port: found 0 · allowed a port from 1 to 65535 · fix: write a whole number, or remove it for 5432",
    ],
    [
      { password: "" },
      `platform.keycloak.database.password: found "" · allowed a secret text, encrypted · fix: pulumi config set --secret --path 'hybrid-k3s:platform.keycloak.database.password'`,
    ],
  ])("%j", (database, message) => {
    expect(said({ keycloak: { ...good, database: { ...good.database, ...database } } })).toEqual([message]);
  });
});

describe("settings of openbao with a mistake", () => {
  test.each([
    [
      { replicas: 2 },
      "platform.openbao.replicas: found 2 · allowed 1, 3 or 5: a majority of them has to agree · fix: remove the setting for what the region can hold",
    ],
    [
      { unseal: "auto" },
      'platform.openbao.unseal: found "auto" · allowed stored-key, transit or by-hand · fix: write one of them, or remove the setting for stored-key',
    ],
  ])("%j", (openbao, message) => {
    expect(said({ openbao })).toEqual([message]);
  });
});

describe("settings of policies and builds with a mistake", () => {
  test.each([
    [
      { "admission-policies": { policies: ["latest"] } },
      'platform.admission-policies.policies[0]: found "latest" · allowed a list of no-host-path, image-tag, requests, at least one · fix: remove the setting for all of them',
    ],
    [
      { "admission-policies": { policies: [] } },
      "platform.admission-policies.policies: found an empty list · allowed a list of no-host-path, image-tag, requests, at least one · fix: remove the setting for all of them",
    ],
    [
      { kyverno: { policies: ["latest"] } },
      'platform.kyverno.policies[0]: found "latest" · allowed a list of no-host-path, image-tag, requests, or an empty one where only policies of yours count · fix: remove the setting for all of them',
    ],
    [
      { crowdsec: { trusted: ["203.0.113.7/24"] } },
      'platform.crowdsec.trusted[0]: found "203.0.113.7/24" · allowed a range such as 203.0.113.0/24 or 2001:db8::/32 · fix: clear the bits behind the prefix',
    ],
    [
      { "gitlab-runner": { token: "glrt-x", concurrent: 0 } },
      "platform.gitlab-runner.concurrent: found 0 · allowed a whole number from 1 to 100 · fix: write how many jobs may run at once",
    ],
    [
      { "node-local-dns": { domain: "cluster local" } },
      'platform.node-local-dns.domain: found "cluster local" · allowed a DNS name · fix: write what kubernetes.config.cluster-domain says, or remove the setting',
    ],
  ])("%j", (platform, message) => {
    expect(said(platform)).toEqual([message]);
  });
});

describe("settings of traefik with a mistake", () => {
  test.each([
    [
      { addresses: ["203.0.113.7:443"] },
      'platform.traefik.addresses[0]: found "203.0.113.7:443" · allowed an IPv4 address · fix: write it without a port, such as 203.0.113.7',
    ],
    [
      { addresses: "203.0.113.7" },
      'platform.traefik.addresses: found "203.0.113.7" · allowed a list of IPv4 addresses · fix: write it as a list, or remove the setting',
    ],
  ])("%j", (traefik, message) => {
    expect(said({ traefik })).toEqual([message]);
  });
});
