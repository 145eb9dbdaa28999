import type { MeshSettings } from "../../components/mesh/mesh-settings.ts";
import { connectMesh } from "../../provider/control/connect.ts";
import type { MeshControl } from "../../provider/control/control.ts";
import type { Environment } from "../../provider/control/credentials.ts";
import { meshCredentialTexts } from "../../stacks/settings/mesh-secrets.ts";

/** What the doctor asks of a control plane. */
export type DeviceList = Pick<MeshControl, "devices">;

function placeOf(settings: Exclude<MeshSettings, { provider: "none" }>): Record<string, string> {
  if (settings.provider === "netbird") return { control: "netbird", url: settings.url };
  const { headscaleUrl, baseUrl, tailnet } = settings;
  if (headscaleUrl !== undefined) return { control: "headscale", url: headscaleUrl };
  return { control: "tailscale", tailnet, ...(baseUrl === undefined ? {} : { url: baseUrl }) };
}

/**
 * Opens the control plane of a region's mesh. Nothing is sent yet, and a missing credential is found by the first question.
 * @param mesh the `mesh` setting as it stands in the stack's file: it may hold the credential
 * @returns undefined without a mesh
 */
export function controlOf(settings: MeshSettings, mesh: unknown, environment: Environment): DeviceList | undefined {
  if (settings.provider === "none") return undefined;
  return connectMesh({ ...placeOf(settings), ...meshCredentialTexts(mesh) }, environment).control;
}
