import * as pulumi from "@pulumi/pulumi";
import type { MeshCredentials } from "../../components/mesh/mesh-settings.ts";
import type { Rule } from "../../components/strict-schema.ts";
import { treeOf } from "./raw-tree.ts";
import { RULES } from "./rules.ts";
import { present } from "../../components/present.ts";

/** Settings of the mesh that are secrets, with what each may be. */
const SECRETS: Readonly<Record<string, Rule>> = {
  apiKey: RULES.meshApiKey,
  oauthClientSecret: RULES.meshClientSecret,
  identityToken: RULES.meshIdentityToken,
  token: RULES.netbirdToken,
};

/** The secrets that the mesh's settings hold, by key. */
export const meshSecretsIn = (mesh: unknown): readonly { readonly key: string; readonly rule: Rule }[] =>
  Object.entries(SECRETS)
    .filter(([key]) => treeOf(mesh)[key] !== undefined)
    .map(([key, rule]) => ({ key, rule }));

/** What the mesh's settings say of who this computer is, by the names that the mesh's provider has for it. Secret. */
export function meshCredentialTexts(mesh: unknown): { readonly [Name in keyof MeshCredentials]: string } {
  const fields = treeOf(mesh);
  const secret = (key: string): string | undefined => {
    const value = fields[key];
    return typeof value === "string" ? value : undefined;
  };
  return present({
    apiKey: secret("apiKey"),
    clientId: secret("oauthClientId"),
    clientSecret: secret("oauthClientSecret"),
    identityToken: secret("identityToken"),
    token: secret("token"),
  });
}

/** The same, each value a secret from here on. */
export const meshCredentials = (mesh: unknown): MeshCredentials =>
  Object.fromEntries(Object.entries(meshCredentialTexts(mesh)).map(([name, value]) => [name, pulumi.secret(value)]));
