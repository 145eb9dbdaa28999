import * as pulumi from "@pulumi/pulumi";

/** Arguments of {@link MeshProvider}. Credentials that are left out are looked for in the environment of the run. */
export interface MeshProviderArgs {
  /** Which kind of control plane. Another one is another mesh: everything in it is replaced. */
  readonly control: "tailscale" | "headscale" | "netbird";
  /** Base URL. @default Tailscale's or NetBird's own; headscale has none */
  readonly url?: pulumi.Input<string>;
  /** Name of the tailnet in Tailscale's API. @default "-", the one that the credential belongs to */
  readonly tailnet?: pulumi.Input<string>;
  /** API key of Tailscale or headscale. @default TAILSCALE_API_KEY, HEADSCALE_API_KEY */
  readonly apiKey?: pulumi.Input<string>;
  /** OAuth client, or trusted identity, of Tailscale. @default TAILSCALE_OAUTH_CLIENT_ID */
  readonly clientId?: pulumi.Input<string>;
  /** @default TAILSCALE_OAUTH_CLIENT_SECRET */
  readonly clientSecret?: pulumi.Input<string>;
  /** Token of the identity, as a CI service gives it to its jobs. @default TAILSCALE_IDENTITY_TOKEN */
  readonly identityToken?: pulumi.Input<string>;
  /** Access token of NetBird. @default NB_PAT */
  readonly token?: pulumi.Input<string>;
}

const SECRETS = ["apiKey", "clientSecret", "identityToken", "token"] as const;

/**
 * The control plane of a mesh: Tailscale, headscale or NetBird, behind one set of resources.
 *
 * The plugin is part of this project (`provider/`): the engine starts it from the path that Pulumi.yaml names. A missing
 * credential is an error of the first request that needs one; a preview of a new region needs none.
 */
export class MeshProvider extends pulumi.ProviderResource {
  constructor(name: string, args: MeshProviderArgs, options?: pulumi.ResourceOptions) {
    const secrets = SECRETS.flatMap((key) =>
      args[key] === undefined ? [] : [[key, pulumi.secret(args[key])] as const],
    );
    super("hybrid-k3s-mesh", name, { ...args, ...Object.fromEntries(secrets) }, options);
  }
}
