import * as pulumi from "@pulumi/pulumi";
import { remoteScript } from "../host/remote-script.ts";
import type { ScriptFile } from "../host/script-file.ts";
import type { Machine } from "../machine.ts";
import type { MeshArgs } from "./mesh-args.ts";
import type { MeshSettings } from "./mesh-settings.ts";
import { otherLans } from "./mesh-site.ts";
import type { PreparedHost } from "./mesh.ts";

/** How long one node's client may take to become what it should be, with another version to fetch. Seconds. */
const CONVERGE_SECONDS = 900;

/** What tells one mesh's client from another's. */
export interface NodeClient {
  readonly script: ScriptFile;
  /** Parameters beside those that all clients have. Plain values. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Declares the script that keeps the client of one node's host as it should be, in the node's turn and before its k3s. */
export function nodeClient(
  machine: Machine,
  { settings, sites, login, connectSeconds }: MeshArgs<Exclude<MeshSettings, { readonly provider: "none" }>>,
  { script, parameters: more }: NodeClient,
  options: pulumi.CustomResourceOptions,
): PreparedHost {
  const { spec } = machine;
  const site = sites.find(({ name }) => name === spec.site);
  if (site === undefined)
    throw new Error(`the machine ${spec.name} stands on a site that the mesh does not know: ${spec.site}`);
  const plain = {
    NODE_NAME: spec.name,
    VERSION: settings.version,
    PACKAGES: settings.packages,
    PORT: String(settings.port),
    LAN: site.lan,
    OTHER_LANS: otherLans(sites, site.name).join(" "),
    NODE_ADDRESSES: site.carriesLan ? "lan" : "mesh",
    ...more,
  };
  const converge = { action: "converge", parameters: { ...plain, ADDRESS: machine.address } };
  const resource = remoteScript(
    `${spec.name}-mesh`,
    {
      script,
      target: machine.ssh,
      privateKey: login.privateKey,
      create: converge,
      update: converge,
      secrets: {},
      triggers: [machine.id],
      connectSeconds,
      limitSeconds: CONVERGE_SECONDS,
    },
    pulumi.mergeOptions(options, { deletedWith: machine.resource }),
  );
  return { resources: [resource], mark: JSON.stringify(plain) };
}
