import { text, type Rule } from "../strict-schema.ts";
import type { ReleaseProblem } from "./release.ts";
import { hostname, kubernetesName, secretText, url, word } from "./release-settings.ts";

const GROUP: Rule = {
  allowed: "the name of a group, as its tokens have it",
  fix: "write letters, digits, -, _, . and /",
};

/** Where the web page of a release is, as settings say it. */
export interface WebPage {
  readonly host?: string | undefined;
  readonly ingressClass: string;
  readonly clusterIssuer?: string | undefined;
}

/** Settings of a release that has a web page. */
export const webPage = {
  ingressClass: kubernetesName().default("traefik").describe("Class of the Ingress"),
  clusterIssuer: kubernetesName()
    .optional()
    .describe("ClusterIssuer of cert-manager that signs the certificate; left out: the ingress's own certificate"),
};

/** DNS name of a page that people reach by `kubectl port-forward` otherwise. */
export const pageHost = () =>
  hostname()
    .optional()
    .describe("DNS name of its web page. Left out: no Ingress, people come by `kubectl port-forward`");

/** Login by OpenID Connect. */
export const openIdConnect = (clientId: string) => ({
  issuer: url().describe("Address of the realm, such as https://id.example.com/realms/main"),
  clientId: word().default(clientId).describe("Name of the client in Keycloak"),
  clientSecret: secretText().describe("Its secret, encrypted"),
});

/** A group of people, as tokens name it. It becomes part of expressions: no quotes. */
export const groupName = () => text(GROUP, (value) => /^[\w./-]+( [\w./-]+)*$/.test(value));

/** What a page needs beside its release. */
export const pageNeeds = ({ clusterIssuer }: WebPage): readonly string[] =>
  clusterIssuer === undefined ? [] : ["cert-manager"];

/** Annotations of its Ingress. */
export const pageAnnotations = ({ clusterIssuer }: WebPage): Readonly<Record<string, string>> =>
  clusterIssuer === undefined ? {} : { "cert-manager.io/cluster-issuer": clusterIssuer };

/**
 * `tls` of its Ingress: passwords are typed into the page, so there is no page without it.
 * @param secretName Secret that cert-manager writes the certificate to
 */
export const pageTls = ({ clusterIssuer }: WebPage, host: string, secretName: string): Record<string, unknown>[] => [
  { hosts: [host], ...(clusterIssuer === undefined ? {} : { secretName }) },
];

/**
 * What is wrong with settings that say nothing without a host.
 * @param others by their paths
 */
export const pageProblems = ({ host }: WebPage, others: Readonly<Record<string, unknown>>): ReleaseProblem[] =>
  host === undefined
    ? Object.entries(others)
        .filter(([, value]) => value !== undefined)
        .map(([path]) => ({
          path,
          found: "no host beside it",
          allowed: `${path} together with ${path.replace(/\w+$/, "host")}`,
          fix: `state ${path.replace(/\w+$/, "host")}, or remove ${path}`,
        }))
    : [];
