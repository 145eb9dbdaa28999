import type { z } from "zod";
import { isHost } from "../../network/names.ts";
import { strict, text, wholeNumber, type Rule } from "../../strict-schema.ts";
import { defineRelease, type SecretDefinition, type Values } from "../release.ts";
import { flag, hostname, releaseSettings, replicas, secretText, word } from "../release-settings.ts";
import { spotFor } from "../spot.ts";
import type { Topology } from "../topology.ts";
import { pageAnnotations, pageNeeds, pageTls, webPage } from "../web-page.ts";
import { resourcesOf, type Requests } from "../workload.ts";
import { yamlText } from "../../yaml-text.ts";

const RULES = {
  server: { allowed: "a DNS name or an address of a PostgreSQL server", fix: "write it without a scheme and a port" },
  port: { allowed: "a port from 1 to 65535", fix: "write a whole number, or remove it for 5432" },
} as const satisfies Record<string, Rule>;

const REQUESTS: Requests = { cpu: 200, memory: 768 };
/** MiB at which it is ended; Keycloak gives 70 % of it to Java's heap. */
const LIMIT = 1536;

const schema = releaseSettings({
  host: hostname().describe("DNS name that people and programs log in at; part of every token"),
  ...webPage,
  replicas: replicas()
    .default(1)
    .describe(
      "How many, each on a machine of its own; two go on while a machine is away. Sessions stand in the database",
    ),
  database: strict({
    host: text(RULES.server, isHost).describe("Where PostgreSQL answers, such as main-rw.databases.svc"),
    port: wholeNumber(RULES.port, 1, 65535).default(5432).describe("Its port"),
    name: word()
      .default("keycloak")
      .describe("Name of the database, which is there already: docs/postgres.md makes it"),
    user: word().default("keycloak").describe("User that owns it"),
    password: secretText().describe("The user's password, encrypted"),
    tls: flag().default(true).describe("Whether the way to it is encrypted"),
  }).describe("The PostgreSQL database that keeps everything"),
});
type Settings = z.output<typeof schema>;

const DATABASE = "keycloak-database";
const ADMIN = "keycloak-admin";

// Every login waits for the database several times, and replicas tell each other what they changed.
const spotOf = (topology: Topology, { place }: Settings) => spotFor(topology, place, "steady");

function environment({ host, database }: Settings): string {
  const admin = (key: string) => ({ valueFrom: { secretKeyRef: { name: ADMIN, key } } });
  return yamlText([
    // All of it, so that no header decides what stands in a token.
    { name: "KC_HOSTNAME", value: `https://${host}` },
    ...(database.tls ? [{ name: "KC_DB_URL_PROPERTIES", value: "?sslmode=require" }] : []),
    // Counts at the very first start alone: make an administrator of your own and delete this one.
    { name: "KC_BOOTSTRAP_ADMIN_USERNAME", ...admin("username") },
    { name: "KC_BOOTSTRAP_ADMIN_PASSWORD", ...admin("password") },
  ]);
}

function values(topology: Topology, settings: Settings): Values {
  const { host, ingressClass, database, replicas: count } = settings;
  return {
    // The names that people look for: the chart's end in keycloakx.
    fullnameOverride: "keycloak",
    replicas: count,
    // The image starts nothing by itself.
    command: ["/opt/keycloak/bin/kc.sh", "start"],
    extraEnv: environment(settings),
    // Addresses as Keycloak's documentation has them; the chart keeps those of its first versions.
    http: { relativePath: "/" },
    // What Traefik and Envoy send.
    proxy: { mode: "xforwarded" },
    database: {
      vendor: "postgres",
      hostname: database.host,
      port: database.port,
      database: database.name,
      username: database.user,
      existingSecret: DATABASE,
      existingSecretKey: "password",
    },
    resources: resourcesOf(REQUESTS, LIMIT),
    nodeSelector: spotOf(topology, settings).nodeSelector,
    // What the level `restricted` asks for.
    podSecurityContext: { fsGroup: 1000, seccompProfile: { type: "RuntimeDefault" } },
    securityContext: {
      runAsUser: 1000,
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
    },
    // It finds its neighbours through the database.
    serviceAccount: { automountServiceAccountToken: false },
    ingress: {
      enabled: true,
      ingressClassName: ingressClass,
      annotations: pageAnnotations(settings),
      rules: [{ host, paths: [{ path: "/", pathType: "Prefix" }] }],
      tls: pageTls(settings, host, "keycloak-tls"),
    },
  };
}

const secrets = ({ database }: Settings): SecretDefinition[] => [
  { name: DATABASE, entries: { password: { text: database.password } } },
  { name: ADMIN, entries: { username: { text: "admin" }, password: { password: 32 } } },
];

/** Keycloak: who people are, told by OpenID Connect. */
export const keycloak = defineRelease({
  name: "keycloak",
  section: "Identity",
  summary: "login of people by OpenID Connect, for Argo CD, Grafana, Headlamp and your own programs",
  home: "https://www.keycloak.org/documentation",
  kind: "chart",
  namespace: "keycloak",
  podSecurity: "restricted",
  // Its first start builds itself and fills the database.
  timeoutSeconds: 900,
  schema,
  needs: pageNeeds,
  values,
  workloads: (topology, settings) => [
    {
      name: "keycloak",
      replicas: settings.replicas,
      requests: REQUESTS,
      spot: spotOf(topology, settings),
      apart: true,
    },
  ],
  podAnnotations: (podAnnotations) => ({ podAnnotations }),
  secrets: (_topology, settings) => secrets(settings),
});
