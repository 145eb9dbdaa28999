import * as pulumi from "@pulumi/pulumi";
import { localScript } from "../host/local-script.ts";
import { scriptFile } from "../host/script-file.ts";

const protectionScript = scriptFile(new URL("./scripts/server-protection.sh", import.meta.url));

/** The API's address. https://docs.hetzner.cloud */
export const API_ENDPOINT = "https://api.hetzner.cloud/v1";

/** How long the API may take, with another action on the server before ours. Seconds. */
const LIMIT_SECONDS = 240;

/** Arguments of {@link serverProtection}. */
export interface ServerProtectionArgs {
  /** The machine's name. */
  readonly machine: string;
  readonly serverId: pulumi.Output<string>;
  /** Secret. @default `HCLOUD_TOKEN` of the environment */
  readonly token?: string;
  /** @default {@link API_ENDPOINT} */
  readonly apiEndpoint?: string;
}

/**
 * Keeps a server from being deleted by anything but its removal from the settings, a new generation, or a destroy: those
 * lift the protection first. The provider only refuses to delete a protected server, and by then a destroy has taken its
 * network and its disk away.
 */
export function serverProtection(
  name: string,
  { machine, serverId, token, apiEndpoint = API_ENDPOINT }: ServerProtectionArgs,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const parameters = { NODE_NAME: machine, SERVER_ID: serverId, API_ENDPOINT: apiEndpoint.replace(/\/+$/, "") };
  return localScript(
    name,
    {
      script: protectionScript,
      create: { action: "protect", parameters },
      update: { action: "protect", parameters },
      delete: { action: "lift", parameters },
      ...(token === undefined ? {} : { secrets: { API_TOKEN: pulumi.secret(token) } }),
      triggers: [serverId],
      limitSeconds: LIMIT_SECONDS,
    },
    options,
  );
}
