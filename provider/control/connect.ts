import { isIpv4Address, isPrivateRange } from "../../components/network/cidr.ts";
import { textOf } from "../protocol/values.ts";
import { UNKNOWN, type Values } from "../protocol/wire.ts";
import type { MeshControl, TailnetPolicyControl } from "./control.ts";
import { CONTROL_KINDS, credentialOf, type ControlKind, type Environment } from "./credentials.ts";
import { HeadscaleControl } from "./headscale.ts";
import type { Http } from "./http.ts";
import { NetbirdControl } from "./netbird.ts";
import { TailscaleControl } from "./tailscale.ts";

/** What a provider instance works with. */
export interface MeshConnection {
  readonly kind: ControlKind;
  readonly control: MeshControl;
  /** @default the control plane has no policy file */
  readonly policy?: TailnetPolicyControl;
  /** NetBird's API, for resources that are nothing but an object of it. @default another control plane */
  readonly netbird?: Http;
}

const DEFAULT_URL: Readonly<Partial<Record<ControlKind, string>>> = {
  tailscale: "https://api.tailscale.com",
  netbird: "https://api.netbird.io",
};

const isKind = (text: string): text is ControlKind => (CONTROL_KINDS as readonly string[]).includes(text);

/** Whether a credential may travel there: encrypted, or inside a private network. */
function isSafe({ protocol, hostname }: URL): boolean {
  if (protocol === "https:" || hostname === "localhost" || hostname.startsWith("127.")) return true;
  return protocol === "http:" && isIpv4Address(hostname) && isPrivateRange(`${hostname}/32`);
}

/** Problems of a provider's configuration by name; values that are not known yet pass. */
export function checkConfiguration(configuration: Values): Record<string, string> {
  const [kind, url] = [textOf(configuration["control"]), textOf(configuration["url"])];
  const problems: Record<string, string> = {};
  if (kind !== UNKNOWN && !isKind(kind)) {
    problems["control"] = `found ${JSON.stringify(kind)} · allowed ${CONTROL_KINDS.join(", ")}`;
  }
  if (url === "" && kind === "headscale") problems["url"] = "headscale has no default address · fix: set its URL";
  if (url !== "" && url !== UNKNOWN && (!URL.canParse(url) || !isSafe(new URL(url)))) {
    problems["url"] = `found ${url} · allowed https://…, or http:// at a private address`;
  }
  return problems;
}

/** Opens what a configuration names; nothing is sent yet. @throws Error if it names no control plane */
export function connectMesh(configuration: Values, environment: Environment): MeshConnection {
  const problems = Object.entries(checkConfiguration(configuration));
  if (problems.length > 0) throw new Error(problems.map(([name, problem]) => `${name}: ${problem}`).join("; "));
  const kind = textOf(configuration["control"]);
  if (!isKind(kind)) throw new Error("the provider's control plane is not known yet");
  const given = textOf(configuration["url"]);
  const url = (given === "" ? (DEFAULT_URL[kind] ?? "") : given).replace(/\/+$/, "");
  const options = { url, ...credentialOf(kind, url, configuration, environment) };
  if (kind === "netbird") {
    const control = new NetbirdControl(options);
    return { kind, control, netbird: control.http };
  }
  const tailnet = textOf(configuration["tailnet"]);
  const control =
    kind === "headscale"
      ? new HeadscaleControl(options)
      : new TailscaleControl(options, tailnet === "" ? "-" : tailnet);
  return { kind, control, policy: control };
}
