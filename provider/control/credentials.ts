import { UNKNOWN, type Values } from "../protocol/wire.ts";
import { textOf } from "../protocol/values.ts";
import { accessTokens, type Authorization } from "./access-token.ts";

/** The environment that credentials may stand in instead of the configuration. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** No credential is known. Thrown by the first call that needs one: a preview of new resources needs none. */
export class MissingCredential extends Error {
  override readonly name = "MissingCredential";
}

/** A credential: the header of every request, and the texts that no error may hold. */
export interface Credential {
  readonly authorization: Authorization;
  readonly secrets: readonly string[];
}

const fixed = (header: string, secret: string, also: readonly string[] = []): Credential => ({
  authorization: () => Promise.resolve({ Authorization: header }),
  secrets: [secret, ...also],
});

/** Finds a value in the configuration, else in the environment; empty where neither has it, or not yet. */
const finder =
  (configuration: Values, environment: Environment) =>
  (name: string, variable: string): string => {
    const value = textOf(configuration[name]);
    return value === "" || value === UNKNOWN ? (environment[variable] ?? "") : value;
  };

function tailscaleCredential(url: string, configuration: Values, environment: Environment): Credential | undefined {
  const find = finder(configuration, environment);
  const inConfiguration = textOf(configuration["clientId"]) !== "" && textOf(configuration["apiKey"]) === "";
  const apiKey = inConfiguration ? "" : find("apiKey", "TAILSCALE_API_KEY");
  // The API key is the user name of basic authentication: https://tailscale.com/api#description/authentication
  const basic = Buffer.from(`${apiKey}:`).toString("base64");
  if (apiKey !== "") return fixed(`Basic ${basic}`, apiKey, [basic]);
  const id = find("clientId", "TAILSCALE_OAUTH_CLIENT_ID");
  const secret = find("clientSecret", "TAILSCALE_OAUTH_CLIENT_SECRET");
  const jwt = find("identityToken", "TAILSCALE_IDENTITY_TOKEN");
  if (id === "" || (secret === "" && jwt === "")) return undefined;
  const form: Readonly<Record<string, string>> =
    secret === "" ? { client_id: id, jwt } : { grant_type: "client_credentials", client_id: id, client_secret: secret };
  const path = secret === "" ? "/api/v2/oauth/token-exchange" : "/api/v2/oauth/token";
  return { authorization: accessTokens(url, { path, form }), secrets: [secret, jwt] };
}

const FIX = {
  tailscale:
    "fix: set mesh.apiKey, or mesh.oauthClientId with mesh.oauthClientSecret or mesh.identityToken, as secrets; or TAILSCALE_API_KEY, or TAILSCALE_OAUTH_CLIENT_ID with TAILSCALE_OAUTH_CLIENT_SECRET or TAILSCALE_IDENTITY_TOKEN in the environment",
  headscale: "fix: headscale apikeys create, then set mesh.apiKey as a secret, or HEADSCALE_API_KEY in the environment",
  netbird: "fix: make an access token in NetBird, then set mesh.token as a secret, or NB_PAT in the environment",
} as const;

/** The kinds of control plane. */
export type ControlKind = keyof typeof FIX;

/** Every kind of control plane. */
export const CONTROL_KINDS = Object.keys(FIX) as readonly ControlKind[];

/**
 * The credential of a provider configuration, which wins over the environment. It is looked for when a request needs
 * it, and not before.
 */
export function credentialOf(
  kind: ControlKind,
  url: string,
  configuration: Values,
  environment: Environment,
): Credential {
  const find = finder(configuration, environment);
  let found: Credential | undefined;
  if (kind === "tailscale") found = tailscaleCredential(url, configuration, environment);
  else {
    const secret = kind === "headscale" ? find("apiKey", "HEADSCALE_API_KEY") : find("token", "NB_PAT");
    if (secret !== "") found = fixed(`${kind === "headscale" ? "Bearer" : "Token"} ${secret}`, secret);
  }
  return (
    found ?? {
      authorization: () => Promise.reject(new MissingCredential(`no credential for ${kind} at ${url} · ${FIX[kind]}`)),
      secrets: [],
    }
  );
}
