import type { KeyRequest, MeshControl, MeshDevice, MintedKey, Policy, TailnetPolicyControl } from "./control.ts";
import { ApiError, Http, type HttpOptions } from "./http.ts";

/**
 * A node as the API lists it; numbers of 64 bits are texts.
 * https://github.com/juanfont/headscale/blob/v0.29.3/gen/openapiv2/headscale/v1/headscale.swagger.json
 */
interface ApiNode {
  readonly id: string;
  readonly name: string;
  readonly givenName: string;
  readonly ipAddresses?: readonly string[];
  readonly tags?: readonly string[];
  readonly createdAt: string;
  readonly lastSeen?: string | null;
  readonly expiry?: string | null;
  readonly online?: boolean;
  readonly approvedRoutes?: readonly string[];
  readonly availableRoutes?: readonly string[];
}

/** A key as the API gives it out, once. */
interface ApiKey {
  readonly id: string;
  readonly key: string;
  readonly createdAt: string;
  readonly expiration: string;
}

function deviceOf(node: ApiNode): MeshDevice {
  const { lastSeen, expiry } = node;
  return {
    id: node.id,
    name: node.givenName,
    // The base domain stands in headscale's own configuration; its API does not tell it.
    dnsName: node.givenName,
    hostname: node.name,
    address: node.ipAddresses?.find((address) => !address.includes(":")) ?? "",
    tags: node.tags ?? [],
    created: new Date(node.createdAt),
    ...(typeof lastSeen === "string" ? { lastSeen: new Date(lastSeen) } : {}),
    online: node.online === true,
    // A time of year 1 is Go's "none".
    ...(typeof expiry === "string" && !expiry.startsWith("0001-") ? { expires: new Date(expiry) } : {}),
    waitsForApproval: false,
    routes: { advertised: node.availableRoutes ?? [], approved: node.approvedRoutes ?? [] },
  };
}

/**
 * headscale's control plane, its own API: releases before 0.30 have no other.
 * https://github.com/juanfont/headscale/blob/v0.29.3/hscontrol/grpcv1.go
 */
export class HeadscaleControl implements MeshControl, TailnetPolicyControl {
  readonly #http: Http;

  constructor(options: HttpOptions) {
    this.#http = new Http(options);
  }

  /** A key with tags and no user is the control plane's own, and so are its nodes. */
  async createKey({ tags, lifetimeSeconds }: KeyRequest): Promise<MintedKey> {
    const expiration = new Date(Date.now() + lifetimeSeconds * 1000).toISOString();
    const { preAuthKey } = await this.#http.json<{ preAuthKey: ApiKey }>({
      method: "POST",
      path: "/api/v1/preauthkey",
      body: { reusable: false, ephemeral: false, expiration, aclTags: tags },
    });
    const { id, key, createdAt } = preAuthKey;
    return { id, key, created: new Date(createdAt), expires: new Date(preAuthKey.expiration) };
  }

  /** Deleting a key that is gone succeeds. */
  async revokeKey(id: string): Promise<void> {
    const path = `/api/v1/preauthkey?id=${encodeURIComponent(id)}`;
    await this.#http.send({ method: "DELETE", path, fine: [404] });
  }

  async devices(): Promise<readonly MeshDevice[]> {
    const { nodes } = await this.#http.json<{ nodes?: readonly ApiNode[] }>({ method: "GET", path: "/api/v1/node" });
    return (nodes ?? []).map(deviceOf);
  }

  async removeDevice(id: string): Promise<void> {
    await this.#http.send({ method: "DELETE", path: nodePath(id), fine: [404] });
  }

  async disableKeyExpiry(id: string): Promise<void> {
    const path = `${nodePath(id)}/expire?disableExpiry=true`;
    await this.#http.send({ method: "POST", path, body: {}, repeatable: true });
  }

  async setTags(id: string, tags: readonly string[]): Promise<void> {
    await this.#http.send({ method: "POST", path: `${nodePath(id)}/tags`, body: { tags }, repeatable: true });
  }

  async readPolicy(): Promise<Policy | undefined> {
    try {
      const { policy } = await this.#http.json<{ policy?: string }>({ method: "GET", path: "/api/v1/policy" });
      return policy === undefined || policy.trim() === "" ? undefined : { text: policy };
    } catch (error) {
      // https://github.com/juanfont/headscale/blob/v0.29.3/hscontrol/types/policy.go
      if (error instanceof ApiError && error.message.includes("acl policy not found")) return undefined;
      throw error;
    }
  }

  /** headscale has no ETag: what is written last stands. */
  async writePolicy(text: string): Promise<void> {
    try {
      await this.#http.send({ method: "PUT", path: "/api/v1/policy", body: { policy: text }, repeatable: false });
    } catch (error) {
      if (!(error instanceof ApiError) || !error.message.includes("update is disabled")) throw error;
      throw new ApiError(
        `${error.message} · headscale reads its policy from a file · fix: set policy.mode: database in its configuration, or mesh.policy: external here`,
        error.status,
      );
    }
  }
}

const nodePath = (id: string): string => `/api/v1/node/${encodeURIComponent(id)}`;
