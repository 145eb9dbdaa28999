import {
  PolicyChanged,
  type KeyRequest,
  type MeshControl,
  type MeshDevice,
  type MintedKey,
  type Policy,
  type TailnetPolicyControl,
} from "./control.ts";
import { Http, type HttpOptions } from "./http.ts";

/** A device as the API lists it: https://github.com/tailscale/tailscale-client-go-v2/blob/v2.12.0/devices.go */
interface ApiDevice {
  readonly nodeId: string;
  readonly name: string;
  readonly hostname: string;
  readonly addresses?: readonly string[];
  readonly authorized: boolean;
  readonly tags?: readonly string[];
  readonly keyExpiryDisabled: boolean;
  readonly created: string;
  readonly expires: string;
  readonly lastSeen?: string | null;
  readonly connectedToControl?: boolean;
  readonly advertisedRoutes?: readonly string[];
  readonly enabledRoutes?: readonly string[];
}

const GONE = [404];

function deviceOf(device: ApiDevice): MeshDevice {
  const { lastSeen, connectedToControl: online } = device;
  return {
    id: device.nodeId,
    name: device.name.split(".")[0] ?? "",
    dnsName: device.name,
    hostname: device.hostname,
    address: device.addresses?.find((address) => !address.includes(":")) ?? "",
    tags: device.tags ?? [],
    created: new Date(device.created),
    ...(typeof lastSeen === "string" && lastSeen !== "" ? { lastSeen: new Date(lastSeen) } : {}),
    ...(online === undefined ? {} : { online }),
    // The API names a date for devices whose key never expires too.
    ...(device.keyExpiryDisabled || device.expires === "" ? {} : { expires: new Date(device.expires) }),
    waitsForApproval: !device.authorized,
    routes: { advertised: device.advertisedRoutes ?? [], approved: device.enabledRoutes ?? [] },
  };
}

/** Tailscale's control plane: https://tailscale.com/api */
export class TailscaleControl implements MeshControl, TailnetPolicyControl {
  readonly #http: Http;
  readonly #tailnet: string;

  /** @param tailnet name of the tailnet; `-` is the one that the credential belongs to */
  constructor(options: HttpOptions, tailnet: string) {
    this.#http = new Http(options);
    this.#tailnet = `/api/v2/tailnet/${encodeURIComponent(tailnet)}`;
  }

  async createKey({ description, tags, lifetimeSeconds }: KeyRequest): Promise<MintedKey> {
    const create = { reusable: false, ephemeral: false, preauthorized: true, tags };
    const made = await this.#http.json<{ id: string; key: string; created: string; expires: string }>({
      method: "POST",
      path: `${this.#tailnet}/keys`,
      // At most 50 characters of letters, digits, hyphens and spaces: https://tailscale.com/api#tag/keys
      body: {
        capabilities: { devices: { create } },
        expirySeconds: lifetimeSeconds,
        description: description.replace(/[^A-Za-z0-9 -]/g, "-").slice(0, 50),
      },
    });
    return { id: made.id, key: made.key, created: new Date(made.created), expires: new Date(made.expires) };
  }

  async revokeKey(id: string): Promise<void> {
    await this.#http.send({ method: "DELETE", path: `${this.#tailnet}/keys/${encodeURIComponent(id)}`, fine: GONE });
  }

  async devices(): Promise<readonly MeshDevice[]> {
    const path = `${this.#tailnet}/devices?fields=all`;
    const { devices } = await this.#http.json<{ devices: readonly ApiDevice[] }>({ method: "GET", path });
    return devices.map(deviceOf);
  }

  async removeDevice(id: string): Promise<void> {
    await this.#http.send({ method: "DELETE", path: devicePath(id), fine: GONE });
  }

  async disableKeyExpiry(id: string): Promise<void> {
    const body = { keyExpiryDisabled: true };
    await this.#http.send({ method: "POST", path: `${devicePath(id)}/key`, body, repeatable: true });
  }

  async setTags(id: string, tags: readonly string[]): Promise<void> {
    await this.#http.send({ method: "POST", path: `${devicePath(id)}/tags`, body: { tags }, repeatable: true });
  }

  /** With comments, as somebody wrote it: that is what this media type asks for. */
  async readPolicy(): Promise<Policy> {
    const path = `${this.#tailnet}/acl`;
    const headers = { Accept: "application/hujson" };
    const response = await this.#http.send({ method: "GET", path, headers });
    const etag = response.headers.get("ETag");
    return { text: response.text, ...(etag === null ? {} : { etag }) };
  }

  async writePolicy(text: string, etag?: string): Promise<void> {
    const { status } = await this.#http.send({
      method: "POST",
      path: `${this.#tailnet}/acl`,
      body: text,
      headers: { "Content-Type": "application/hujson", ...(etag === undefined ? {} : { "If-Match": etag }) },
      fine: [412],
      // Sent with an ETag it is carried out once at most.
      repeatable: etag !== undefined,
    });
    if (status === 412) throw new PolicyChanged();
  }
}

const devicePath = (id: string): string => `/api/v2/device/${encodeURIComponent(id)}`;
