import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import type { Manifest, ReleaseDefinition } from "../../components/platform/release.ts";
import { keycloak } from "../../components/platform/releases/keycloak.ts";
import { admissionPolicies } from "../../components/platform/releases/admission-policies.ts";
import { buildkit } from "../../components/platform/releases/buildkit.ts";
import { crowdsec } from "../../components/platform/releases/crowdsec.ts";
import { gitlabRunner } from "../../components/platform/releases/gitlab-runner.ts";
import { hcloudCsi } from "../../components/platform/releases/hcloud-csi.ts";
import { headlamp } from "../../components/platform/releases/headlamp.ts";
import { kubePrometheusStack } from "../../components/platform/releases/kube-prometheus-stack.ts";
import { nodeLocalDns } from "../../components/platform/releases/node-local-dns.ts";
import { openbao } from "../../components/platform/releases/openbao.ts";
import { postgres } from "../../components/platform/releases/postgres.ts";
import { traefik } from "../../components/platform/releases/traefik.ts";
import { TOPOLOGIES } from "../support/topologies.ts";

const given = (definition: ReleaseDefinition, settings: unknown, topology: keyof typeof TOPOLOGIES = "one-site") =>
  [TOPOLOGIES[topology], definition.schema.parse(settings) as never] as const;

describe("keycloak", () => {
  const settings = { host: "id.example.com", database: { host: "main-rw.databases.svc", password: "do-not-show" } };

  test("names a cluster of PostgreSQL where the platform has it", () => {
    const objects = postgres.objects!(...given(postgres, { clusters: { main: {} } }));
    const { namespace } = objects.find(({ kind }) => kind === "Cluster")!.metadata;
    const { properties } = z.toJSONSchema(keycloak.schema, { io: "input", unrepresentable: "any" });
    expect(JSON.stringify(properties!["database"])).toContain(`such as main-rw.${namespace!}.svc`);
  });

  test("writes no secret into its values, and makes the administrator's password once", () => {
    expect(JSON.stringify(keycloak.values(...given(keycloak, settings)))).not.toContain("do-not-show");
    expect(keycloak.secrets!(...given(keycloak, settings))).toContainEqual({
      name: "keycloak-admin",
      entries: { username: { text: "admin" }, password: { password: 32 } },
    });
  });

  test("speaks with its database in the open only where settings say so", () => {
    const environment = (database: object) =>
      keycloak.values(...given(keycloak, { ...settings, database: { ...settings.database, ...database } }))["extraEnv"];
    expect(environment({})).toContain("sslmode=require");
    expect(environment({ tls: false })).not.toContain("sslmode");
  });
});

const paths = (definition: ReleaseDefinition, settings: unknown, topology?: keyof typeof TOPOLOGIES): string[] =>
  (definition.problems?.(...given(definition, settings, topology)) ?? []).map(({ path }) => path);

describe("a page", () => {
  const login = { issuer: "https://id.example.com/realms/main", clientSecret: "do-not-show" };

  test("that is to be logged in to, or to have a certificate, has a name", () => {
    expect(paths(headlamp, { singleSignOn: login, clusterIssuer: "letsencrypt" })).toEqual([
      "singleSignOn",
      "clusterIssuer",
    ]);
    expect(paths(headlamp, { host: "cluster.example.com", singleSignOn: login, clusterIssuer: "letsencrypt" })).toEqual(
      [],
    );
    expect(paths(kubePrometheusStack, { grafana: { singleSignOn: login } })).toEqual(["grafana.singleSignOn"]);
  });

  test("whose certificate cert-manager signs needs cert-manager", () => {
    const grafana = { host: "grafana.example.com", clusterIssuer: "letsencrypt" };
    expect(kubePrometheusStack.needs!(given(kubePrometheusStack, { grafana })[1])).toEqual(["cert-manager"]);
    expect(kubePrometheusStack.needs!(given(kubePrometheusStack, {})[1])).toEqual([]);
  });

  test("of Headlamp keeps its login out of the values, and has no rights of its own", () => {
    const settings = { host: "cluster.example.com", singleSignOn: login };
    const values = headlamp.values(...given(headlamp, settings));
    expect(JSON.stringify(values)).not.toContain("do-not-show");
    expect(values).toMatchObject({ clusterRoleBinding: { create: false } });
    expect(headlamp.secrets!(...given(headlamp, settings))[0]?.entries).toMatchObject({
      OIDC_CALLBACK_URL: { text: "https://cluster.example.com/oidc-callback" },
    });
  });
});

describe("openbao", () => {
  const configuration = (settings: unknown, topology?: keyof typeof TOPOLOGIES): string =>
    JSON.stringify(openbao.values(...given(openbao, settings, topology)));
  const transit = { address: "https://vault.example.com", keyName: "unseal", token: "do-not-show" };

  test("opens by itself with a key of its own, and a rollout goes on by itself", () => {
    expect(configuration({})).toContain('seal \\"static\\"');
    expect(configuration({})).toContain("RollingUpdate");
    expect(openbao.secrets!(...given(openbao, {}))).toEqual([
      { name: "openbao-unseal", entries: { key: { hex: 64 } } },
    ]);
  });

  test("asks another one, whose token is in no value", () => {
    const settings = { unseal: "transit", transit };
    expect(configuration(settings)).toContain('seal \\"transit\\"');
    expect(configuration(settings)).not.toContain("do-not-show");
    expect(paths(openbao, settings)).toEqual([]);
  });

  test("restarts no pod by itself where people have to open it", () => {
    expect(configuration({ unseal: "by-hand" })).toContain("OnDelete");
    expect(configuration({ unseal: "by-hand" })).not.toContain("seal ");
    expect(openbao.secrets!(...given(openbao, { unseal: "by-hand" }))).toEqual([]);
  });

  test("wants transit with its settings, and neither alone", () => {
    expect(paths(openbao, { unseal: "transit" })).toEqual(["transit"]);
    expect(paths(openbao, { transit })).toEqual(["transit"]);
  });

  test("has a majority on machines of its own, or is one", () => {
    const copies = (topology: keyof typeof TOPOLOGIES) =>
      openbao.workloads(...given(openbao, {}, topology)).map(({ replicas }) => replicas);
    expect(copies("one-site")).toEqual([3]);
    const two = { ...TOPOLOGIES["on-premises"], pools: [{ ...TOPOLOGIES["on-premises"].pools[0], nodes: 2 }] };
    expect(openbao.workloads(two, openbao.schema.parse({}) as never)[0]?.replicas).toBe(1);
  });
});

describe("hcloud-csi", () => {
  test("is for a region with servers of Hetzner, and runs on those alone", () => {
    expect(paths(hcloudCsi, { token: "x" }, "one-site")).toEqual([]);
    expect(paths(hcloudCsi, { token: "x" }, "tokyo-sapporo")).toEqual([""]);
    const mixed = {
      ...TOPOLOGIES["one-site"],
      sites: [...TOPOLOGIES["one-site"].sites, { name: "home", kind: "existing" as const }],
      pools: [
        ...TOPOLOGIES["one-site"].pools,
        { ...TOPOLOGIES["on-premises"].pools[0], site: "home", name: "rack", role: "agent" as const },
      ],
    };
    const settings = hcloudCsi.schema.parse({ token: "x" }) as never;
    for (const { spot } of hcloudCsi.workloads(mixed, settings))
      expect(spot.pools.map(({ site }) => site)).toEqual(["falkenstein", "falkenstein"]);
    expect(JSON.stringify(hcloudCsi.values(mixed, settings))).toContain('"values":["falkenstein"]');
  });

  test("learns from the host which server it is on, and from its settings where volumes are made", () => {
    expect(hcloudCsi.values(...given(hcloudCsi, { token: "x" }))).toMatchObject({
      node: { hostNetwork: true },
      controller: { hcloudVolumeDefaultLocation: "fsn1" },
    });
    const two = {
      ...TOPOLOGIES["one-site"],
      sites: [...TOPOLOGIES["one-site"].sites, { name: "ashburn", kind: "hetzner" as const, locations: ["ash"] }],
      pools: [...TOPOLOGIES["one-site"].pools, { ...TOPOLOGIES["one-site"].pools[1], site: "ashburn" }],
    };
    const settings = hcloudCsi.schema.parse({ token: "x", place: { site: "ashburn" } }) as never;
    expect(hcloudCsi.values(two, settings)).toMatchObject({ controller: { hcloudVolumeDefaultLocation: "ash" } });
  });

  test("claims the default class only where it is to be that", () => {
    expect(hcloudCsi.claims!(...given(hcloudCsi, { token: "x" }))).toEqual({});
    expect(hcloudCsi.claims!(...given(hcloudCsi, { token: "x", default: true }))).toEqual({
      defaultStorageClass: "hcloud-volumes",
    });
  });
});

describe("node-local-dns", () => {
  test("is for flannel: Cilium sends lookups past it", () => {
    expect(paths(nodeLocalDns, {}, "tokyo-sapporo")).toEqual([]);
    expect(paths(nodeLocalDns, {}, "one-site")).toEqual([""]);
  });

  test("takes the address that pods ask already", () => {
    const objects = JSON.stringify(nodeLocalDns.objects!(...given(nodeLocalDns, {}, "tokyo-sapporo")));
    expect(objects).toContain('"-localip","169.254.20.10,10.67.0.10"');
    expect(objects).toContain("bind 169.254.20.10 10.67.0.10");
  });
});

describe("traefik", () => {
  const objects = (settings: object) => traefik.objects!(...given(traefik, settings));
  const chartValues = (settings: object) => {
    const config = objects(settings).find(({ kind }) => kind === "HelmChartConfig");
    return parse((config!["spec"] as { valuesContent: string }).valuesContent) as Record<string, unknown>;
  };

  test("shows its dashboard to nobody without the password that the stack makes", () => {
    const settings = { dashboardHost: "traefik.example.com" };
    const [middleware] = chartValues(settings)["extraObjects"] as [Manifest];
    expect(chartValues(settings)).toMatchObject({
      ingressRoute: { dashboard: { middlewares: [{ name: middleware.metadata.name }] } },
    });
    // Traefik's kinds come some time after the first node: what is made by its own chart waits for them.
    expect(objects(settings).map(({ kind }) => kind)).toEqual(["HelmChartConfig"]);
    // The router looks for the Middleware, and the Middleware for the Secret, in the namespace that it is in itself.
    expect(middleware.metadata.namespace).toBe(traefik.namespace);
    expect(traefik.secrets!(...given(traefik, settings))).toEqual([
      {
        name: (middleware["spec"] as { basicAuth: { secret: string } }).basicAuth.secret,
        type: "kubernetes.io/basic-auth",
        entries: { username: { text: "admin" }, password: { password: 32 } },
      },
    ]);
  });

  test("is told of addresses that requests arrive at, beside the nodes' own", () => {
    expect(chartValues({ addresses: ["203.0.113.7"] })["service"]).toEqual({
      spec: { externalTrafficPolicy: "Local", externalIPs: ["203.0.113.7"] },
    });
    expect(chartValues({})["service"]).toEqual({ spec: { externalTrafficPolicy: "Local" } });
  });

  test("has no dashboard, and no password, unless it has a name for it", () => {
    expect(objects({}).map(({ kind }) => kind)).toEqual(["HelmChartConfig"]);
    expect(chartValues({})).not.toHaveProperty("ingressRoute");
    expect(traefik.secrets!(...given(traefik, {}))).toEqual([]);
  });
});

describe("crowdsec", () => {
  const without = { ...TOPOLOGIES["tokyo-sapporo"], disabled: ["traefik"] };

  test("is for k3s's Traefik, and reads its log where that is", () => {
    expect(paths(crowdsec, {})).toEqual([]);
    expect(crowdsec.problems!(without, crowdsec.schema.parse({}) as never).map(({ path }) => path)).toEqual([""]);
    for (const accessLog of [false, undefined]) {
      const silent = crowdsec.problems!({ ...TOPOLOGIES["one-site"], accessLog }, crowdsec.schema.parse({}) as never);
      expect(silent.map(({ allowed }) => allowed)).toEqual([
        "CrowdSec where Traefik logs requests, for it reads nothing else",
      ]);
    }
    expect(paths(traefik, { crowdsec: true })).toEqual([]);
    expect(paths(traefik, { crowdsec: true, accessLog: false })).toEqual(["accessLog"]);
    const agents = crowdsec.workloads(...given(crowdsec, {}, "tokyo-sapporo")).find(({ name }) => name === "agent");
    expect(agents?.spot.pools.map(({ name }) => name)).toEqual(["control"]);
  });

  test("is refused where Traefik takes others for the senders of requests", () => {
    const hiddenSenders = [
      { pool: "falkenstein/work", behind: "service-lb" },
      { pool: "nuremberg/work", behind: "load-balancer" },
    ] as const;
    const found = crowdsec.problems!({ ...TOPOLOGIES["one-site"], hiddenSenders }, crowdsec.schema.parse({}) as never);
    expect(found.map(({ fix }) => fix)).toEqual([
      "write all of those addresses as platform.traefik.addresses, as docs/crowdsec.md has it",
      "write proxyProtocol: true at the site's loadBalancer and trustedIPs for Traefik, as docs/sites/hetzner.md has them",
    ]);
  });

  test("stands before every page where Traefik is to ask it, and needs to be there then", () => {
    const objects = (settings: object) => JSON.stringify(traefik.objects!(...given(traefik, settings)));
    expect(objects({ crowdsec: true })).toContain("crowdsec-bouncer@kubernetescrd");
    expect(objects({})).not.toContain("bouncer");
    expect(traefik.needs!(given(traefik, { crowdsec: true })[1])).toEqual(["crowdsec"]);
    const middleware = crowdsec.objects!(...given(crowdsec, {}))[0]!;
    expect(`${middleware.metadata.namespace}-${middleware.metadata.name}@kubernetescrd`).toBe(
      "crowdsec-bouncer@kubernetescrd",
    );
  });

  test("never blocks whom settings trust, and who comes through the mesh", () => {
    const ranges = (settings: object, mesh: "netbird" | "none" = "netbird") => {
      const [, parsed] = given(crowdsec, settings);
      const [middleware] = crowdsec.objects!({ ...TOPOLOGIES["one-site"], mesh }, parsed);
      return (middleware!["spec"] as { plugin: { bouncer: { clientTrustedIps: string[] } } }).plugin.bouncer
        .clientTrustedIps;
    };
    expect(ranges({ trusted: ["203.0.113.0/24"] })).toEqual(["10.66.0.0/16", "100.64.0.0/10", "203.0.113.0/24"]);
    expect(ranges({}, "none")).toEqual(["10.66.0.0/16"]);
    expect(JSON.stringify(crowdsec.values(...given(crowdsec, { trusted: ["203.0.113.0/24"] })))).toContain(
      "203.0.113.0/24",
    );
  });

  test("tells nobody of anything unless it is to share with the community", () => {
    const values = (settings: object) => JSON.stringify(crowdsec.values(...given(crowdsec, settings)));
    expect(values({})).toContain("DISABLE_ONLINE_API");
    expect(values({ community: true })).not.toContain("DISABLE_ONLINE_API");
  });
});

describe("builds", () => {
  test("reach BuildKit from the runner and from namespaces that are named, and from no other", () => {
    const policy = buildkit.objects!(...given(buildkit, { from: ["ci"] })).find(({ kind }) => kind === "NetworkPolicy");
    expect(JSON.stringify(policy)).toContain('"values":["gitlab-runner","ci"]');
  });

  test("of GitLab find BuildKit where they are to, and need it then", () => {
    const values = (settings: object) =>
      JSON.stringify(gitlabRunner.values(...given(gitlabRunner, { token: "do-not-show", ...settings })));
    expect(values({ buildkit: true })).toContain("BUILDKIT_HOST=tcp://buildkit.buildkit.svc:1234");
    expect(values({})).not.toContain("BUILDKIT_HOST");
    expect(values({})).not.toContain("do-not-show");
    expect(gitlabRunner.needs!(given(gitlabRunner, { token: "x", buildkit: true })[1])).toEqual(["buildkit"]);
    expect(gitlabRunner.needs!(given(gitlabRunner, { token: "x" })[1])).toEqual([]);
  });
});

describe("admission-policies", () => {
  const bindings = (settings: unknown) =>
    admissionPolicies.objects!(...given(admissionPolicies, settings))
      .filter(({ kind }) => kind === "ValidatingAdmissionPolicyBinding")
      .map(({ spec }) => spec as { readonly validationActions: readonly string[] });

  test("warn until they are to refuse, and leave the stack's own namespaces alone", () => {
    expect(bindings({}).map(({ validationActions }) => validationActions)).toEqual(Array(3).fill(["Warn", "Audit"]));
    expect(bindings({ enforce: true }).map(({ validationActions }) => validationActions)).toEqual(
      Array(3).fill(["Deny"]),
    );
    for (const binding of bindings({ except: ["sandbox"] }))
      expect(JSON.stringify(binding)).toMatch(/"values":\["argocd","cert-manager",.*"sandbox"\]/);
  });

  test("have no Helm values", () => {
    expect(paths(admissionPolicies, { values: { a: 1 } })).toEqual(["values"]);
  });
});
