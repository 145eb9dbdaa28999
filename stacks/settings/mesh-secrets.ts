import * as pulumi from "@pulumi/pulumi";
import type { MeshCredentials } from "../../components/mesh/mesh-settings.ts";
import { treeOf } from "./raw-tree.ts";
import { present } from "../../components/present.ts";

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
