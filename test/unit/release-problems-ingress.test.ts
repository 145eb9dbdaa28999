import { describe, expect, test } from "vitest";
import type { Manifest } from "../../components/platform/release.ts";
import { certManager } from "../../components/platform/releases/cert-manager.ts";
import { envoyGateway } from "../../components/platform/releases/envoy-gateway.ts";
import type { Topology } from "../../components/platform/topology.ts";
import { TOPOLOGIES } from "../support/topologies.ts";

const region: Topology = TOPOLOGIES["one-site"];

describe("a Gateway of envoy-gateway", () => {
  const settings = (gateway: object) => envoyGateway.schema.parse({ gateway }) as never;
  const all = envoyGateway.objects!(region, settings({ host: "example.net" }));
  const objects = (kind: string): Manifest[] => all.filter((object) => object.kind === kind);
  const found = (more: Partial<Topology>, gateway: object = {}) =>
    envoyGateway.problems!({ ...region, ...more }, settings({ host: "www.example.net", ...gateway })).map(
      (problem) => `${problem.path}: ${problem.found}`,
    );

  test("has a certificate for its host and one for every name below it, and asks for no annotation to be read", () => {
    const certificates = objects("Certificate");
    expect(certificates.map((certificate) => certificate["spec"])).toEqual([
      {
        secretName: "main-tls",
        dnsNames: ["example.net"],
        issuerRef: { group: "cert-manager.io", kind: "ClusterIssuer", name: "letsencrypt" },
      },
      {
        secretName: "main-below-tls",
        dnsNames: ["*.example.net"],
        issuerRef: { group: "cert-manager.io", kind: "ClusterIssuer", name: "letsencrypt" },
      },
    ]);
    const [gateway] = objects("Gateway");
    const { listeners } = gateway!["spec"] as {
      listeners: { hostname?: string; tls?: { certificateRefs: object[] } }[];
    };
    expect(gateway!.metadata).not.toHaveProperty("annotations");
    expect(listeners.map(({ hostname, tls }) => [hostname, tls?.certificateRefs])).toEqual([
      [undefined, undefined],
      ["example.net", [{ name: "main-tls" }]],
      ["*.example.net", [{ name: "main-below-tls" }]],
    ]);
    // The Gateway finds Secrets in its own namespace alone, and cert-manager writes them beside the Certificate.
    expect(new Set([gateway!, ...certificates].map(({ metadata }) => metadata.namespace)).size).toBe(1);
  });

  test("wants an issuer that proves its wildcard by DNS", () => {
    expect(found({ dnsProven: "all" })).toEqual([]);
    expect(found({ dnsProven: ["example.net"] })).toEqual([]);
    expect(found({ dnsProven: [] })).toEqual([
      "gateway.host: www.example.net with an issuer without a cloudflareToken, which proves names over HTTP",
    ]);
    expect(found({ dnsProven: ["ample.net"] })).toEqual([
      "gateway.host: www.example.net with no zone of platform.cert-manager.issuer.zones that it is in",
    ]);
    expect(found({ dnsProven: undefined })).toEqual([
      "gateway.host: www.example.net with no platform.cert-manager.issuer, which makes the ClusterIssuer letsencrypt",
    ]);
  });

  test("asks nothing of an issuer that is the user's own, and nothing where there is no Gateway", () => {
    expect(found({ dnsProven: undefined }, { clusterIssuer: "internal" })).toEqual([]);
    expect(envoyGateway.problems!({ ...region, dnsProven: undefined }, settings(undefined as never))).toEqual([]);
  });
});

describe("the issuer of cert-manager", () => {
  const withoutTraefik: Topology = { ...region, disabled: ["traefik"] };
  const settings = (issuer: object) => certManager.schema.parse({ issuer: { email: "ops@example.net", ...issuer } });
  const solvers = (topology: Topology, issuer: object) => {
    const [object] = certManager.objects!(topology, settings(issuer) as never);
    return (object!["spec"] as { acme: { solvers: readonly object[] } }).acme.solvers;
  };
  const paths = (topology: Topology, issuer: object) =>
    certManager.problems!(topology, settings(issuer) as never).map(({ path }) => path);
  const http = (ingressClassName: string) => ({ http01: { ingress: { ingressClassName } } });

  test("proves names over HTTP by k3s's Traefik, where that is, or by the class that it is told", () => {
    expect(solvers(region, {})).toEqual([http("traefik")]);
    expect(solvers(withoutTraefik, { ingressClass: "public" })).toEqual([http("public")]);
    expect(paths(region, {})).toEqual([]);
    expect(paths(withoutTraefik, { ingressClass: "traefik" })).toEqual([]);
  });

  test("is refused where nobody would answer its proofs", () => {
    expect(paths(withoutTraefik, {})).toEqual(["issuer"]);
    expect(paths(withoutTraefik, { cloudflareToken: "example" })).toEqual([]);
    expect(certManager.problems!(withoutTraefik, certManager.schema.parse({}) as never)).toEqual([]);
  });

  test("leaves names outside of the token's zones to HTTP only where that is answered", () => {
    const issuer = { cloudflareToken: "example", zones: ["example.net"] };
    expect(solvers(region, issuer)).toHaveLength(2);
    expect(solvers(withoutTraefik, issuer)).toHaveLength(1);
  });
});
