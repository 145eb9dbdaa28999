import type * as pulumi from "@pulumi/pulumi";

/** What each mesh's client has in common, whoever makes it. Defaults are filled in. */
interface MeshClientSettings {
  /** Pinned version of the client on every machine, such as `1.102.4`. @default versions.yaml */
  readonly version: string;
  /** Where machines get the client's packages: the vendor's repository, or a mirror of it. */
  readonly packages: string;
  /** UDP port of every machine's client. */
  readonly port: number;
  /** Who may reach SSH and the API of the region's machines, as the mesh's own policy calls them. */
  readonly operators: readonly string[];
  /** How long a key lives that a machine joins with. */
  readonly keyLifetimeSeconds: number;
}

/** A region on a tailnet, Tailscale's own or one of Headscale. */
export interface TailscaleSettings extends MeshClientSettings {
  readonly provider: "tailscale";
  /** The tailnet's name; `-` is the one that the credential belongs to. @default "-" */
  readonly tailnet: string;
  /** Tag of all machines of the region. @default `tag:k3s-<region>` */
  readonly tag: string;
  /** Address of a Headscale server. @default none: Tailscale's own control server */
  readonly headscaleUrl?: string;
  /** Address of the API, where it is not Tailscale's own. @default none */
  readonly baseUrl?: string;
  /** Whose the tailnet's policy is: all of it ours, our lines in the user's, or the user's alone, checked. @default "merge" */
  readonly policy: "managed" | "merge" | "external";
}

/** A region on a NetBird network. */
export interface NetbirdSettings extends MeshClientSettings {
  readonly provider: "netbird";
  /** Address of the management server. @default NetBird's own */
  readonly url: string;
  /** Group of all machines of the region. @default `k3s-<region>` */
  readonly group: string;
}

/** The mesh of a region. Plain values: secrets are {@link MeshCredentials}. */
export type MeshSettings = { readonly provider: "none" } | TailscaleSettings | NetbirdSettings;

/**
 * What this computer shows to the mesh's control server. Each is a secret; none is given where the settings leave it to
 * the environment.
 */
export interface MeshCredentials {
  /** API key of Tailscale, or of Headscale. */
  readonly apiKey?: pulumi.Output<string>;
  /** OAuth client of Tailscale, with `clientSecret` or `identityToken`. */
  readonly clientId?: pulumi.Output<string>;
  readonly clientSecret?: pulumi.Output<string>;
  /** Token of a workload identity that Tailscale trusts. */
  readonly identityToken?: pulumi.Output<string>;
  /** Access token of NetBird. */
  readonly token?: pulumi.Output<string>;
}
