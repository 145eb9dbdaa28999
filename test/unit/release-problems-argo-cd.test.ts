import { describe, expect, test } from "vitest";
import { argoCd } from "../../components/platform/releases/argo-cd.ts";
import { TOPOLOGIES } from "../support/topologies.ts";

const problemsOf = (settings: object) =>
  argoCd.problems?.(TOPOLOGIES["tokyo-sapporo"], argoCd.schema.parse(settings) as never);
const secretsOf = (settings: object) =>
  argoCd.secrets?.(TOPOLOGIES["tokyo-sapporo"], argoCd.schema.parse(settings) as never);
const singleSignOn = { issuer: "https://id.example.com/realms/main", clientSecret: "example-secret" };
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

describe("a login or a certificate without a host", () => {
  test("is refused", () => {
    expect(problemsOf({ singleSignOn, clusterIssuer: "letsencrypt" })).toEqual([
      {
        path: "singleSignOn",
        found: "no host beside it",
        allowed: "singleSignOn together with host",
        fix: "state host, or remove singleSignOn",
      },
      {
        path: "clusterIssuer",
        found: "no host beside it",
        allowed: "clusterIssuer together with host",
        fix: "state host, or remove clusterIssuer",
      },
    ]);
  });

  test("is fine with one", () => {
    expect(problemsOf({ singleSignOn, clusterIssuer: "letsencrypt", host: "argo.example.com" })).toEqual([]);
  });
});

describe("the host of the config repository", () => {
  test.each([
    ["git@github.com:acme/cluster.git", []],
    ["ssh://git@ssh.github.com:443/acme/cluster.git", []],
    ["ssh://git@gitlab.com:22/acme/cluster.git", []],
    ["https://git.example.net/acme/cluster.git", []],
    ["git@git.example.net:acme/cluster.git", [`git.example.net ${KEY}`]],
    ["ssh://git@git.example.net:2222/acme/cluster.git", [`[git.example.net]:2222 ${KEY}`]],
  ])("%s is known", (url, hostKeys) => {
    expect(problemsOf({ repository: { url, hostKeys } })).toEqual([]);
  });

  test.each([
    ["git@git.example.net:acme/cluster.git", [], "git.example.net"],
    ["git@git.example.net:acme/cluster.git", [`other.example.net ${KEY}`], "git.example.net"],
    ["ssh://git@git.example.net:2222/acme/cluster.git", [`git.example.net ${KEY}`], "[git.example.net]:2222"],
  ])("%s with %j is not", (url, hostKeys, host) => {
    expect(problemsOf({ repository: { url, hostKeys } })).toEqual([
      {
        path: "repository.hostKeys",
        found: `no key of ${host}`,
        allowed: "the keys of a host that Argo CD does not know",
        fix: `add what \`ssh-keyscan\` says of ${host}, once the host itself says the same`,
      },
    ]);
  });
});

describe("the deploy key", () => {
  test("is made for a repository over SSH, in a Secret that Argo CD takes for one", () => {
    expect(secretsOf({ repository: { url: "git@github.com:acme/cluster.git" } })).toEqual([
      {
        name: "config-repository",
        labels: { "argocd.argoproj.io/secret-type": "repository" },
        entries: {
          type: { text: "git" },
          url: { text: "git@github.com:acme/cluster.git" },
          sshPrivateKey: { sshKey: "private" },
        },
      },
    ]);
  });

  test("is not made for one over https, nor without a repository", () => {
    expect(secretsOf({ repository: { url: "https://github.com/acme/cluster.git" } })).toEqual([]);
    expect(secretsOf({})).toEqual([]);
  });
});

test("the login's secret is in no value", () => {
  const settings = argoCd.schema.parse({ singleSignOn, host: "argo.example.com" }) as never;
  expect(JSON.stringify(argoCd.values(TOPOLOGIES["one-site"], settings))).not.toContain("example-secret");
});

test("a certificate needs cert-manager", () => {
  expect(argoCd.needs?.(argoCd.schema.parse({ clusterIssuer: "letsencrypt" }) as never)).toEqual(["cert-manager"]);
  expect(argoCd.needs?.(argoCd.schema.parse({}) as never)).toEqual([]);
});
