import { describe, expect, test } from "vitest";
import { said } from "./platform-settings.ts";

describe("argo-cd", () => {
  const url = "git@github.com:acme/cluster.git";

  test("takes a repository by its address alone", () => {
    expect(said({ "argo-cd": { repository: { url } } })).toEqual([]);
  });

  test.each([
    [{ path: "/root" }, 'repository.path: found "/root"'],
    [{ path: "root/" }, 'repository.path: found "root/"'],
    [{ path: "../root" }, 'repository.path: found "../root"'],
  ])("refuses the path of %j", (more, found) => {
    expect(said({ "argo-cd": { repository: { url, ...more } } })).toEqual([
      `platform.argo-cd.${found} · allowed a path inside of the repository, such as root · fix: write it without a / at its ends and without ..`,
    ]);
  });

  test("refuses a line that known_hosts does not have", () => {
    const hostKeys = ["ssh-ed25519 AAAA"];
    expect(said({ "argo-cd": { repository: { url, hostKeys } } })).toEqual([
      'platform.argo-cd.repository.hostKeys[0]: found "ssh-ed25519 AAAA" · allowed lines as known_hosts has them: name, kind of key, key · fix: ssh-keyscan <host>, and compare with what the host itself says',
    ]);
  });

  test("refuses a group whose name would be more than one word of a policy", () => {
    const singleSignOn = {
      issuer: "https://id.example.com/realms/main",
      clientSecret: "s",
      adminGroup: "a, role:admin",
    };
    expect(said({ "argo-cd": { host: "argo.example.com", singleSignOn } })).toEqual([
      'platform.argo-cd.singleSignOn.adminGroup: found "a, role:admin" · allowed the name of a group, as its tokens have it · fix: write letters, digits, -, _, . and /',
    ]);
  });
});

describe("argocd-image-updater", () => {
  test("takes nothing but its key", () => {
    expect(said({ "argo-cd": {}, "argocd-image-updater": {} })).toEqual([]);
  });

  test("refuses an interval without a unit", () => {
    expect(said({ "argocd-image-updater": { interval: 120 } })).toEqual([
      "platform.argocd-image-updater.interval: found 120 · allowed a duration such as 90s, 5m or 1h30m · fix: write a whole number with its unit: s, m or h",
    ]);
  });
});

describe("external-secrets", () => {
  test.each([
    "https://vault.example.com",
    "http://openbao-active.openbao.svc:8200",
    "http://vault.vault.svc.cluster.local",
  ])("takes %s", (server) => {
    expect(said({ "external-secrets": { vault: { server } } })).toEqual([]);
  });

  test.each(["http://vault.example.com", "https://user:password@vault.example.com", "vault.example.com"])(
    "refuses %s: secrets would travel in the open, or their password stand in a manifest",
    (server) => {
      expect(said({ "external-secrets": { vault: { server } } })).toEqual([
        `platform.external-secrets.vault.server: found ${JSON.stringify(server.replace("user:password", "…"))} · allowed an https address, or an http one of a Service of this cluster · fix: write it like "https://vault.example.com" or "http://openbao-active.openbao.svc:8200"`,
      ]);
    },
  );
});

describe("sealed-secrets", () => {
  test("takes a number of days", () => {
    expect(said({ "sealed-secrets": { keyRenewal: 90 } })).toEqual([]);
  });

  test("refuses keys that are never renewed", () => {
    expect(said({ "sealed-secrets": { keyRenewal: 0 } })).toEqual([
      "platform.sealed-secrets.keyRenewal: found 0 · allowed a whole number of days from 1 to 3650 · fix: write how many days are kept",
    ]);
  });
});
