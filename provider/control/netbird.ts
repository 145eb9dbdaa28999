import type { KeyRequest, MeshControl, MeshDevice, MintedKey } from "./control.ts";
import { Http, type HttpOptions } from "./http.ts";
import { OneAtATime } from "./one-at-a-time.ts";

/** https://github.com/netbirdio/netbird/blob/v0.77.1/shared/management/http/api/openapi.yml */
interface ApiPeer {
  readonly id: string;
  readonly name: string;
  readonly hostname: string;
  readonly ip: string;
  readonly dns_label: string;
  readonly connected: boolean;
  readonly created_at: string;
  readonly last_seen: string;
  readonly last_login: string;
  readonly login_expiration_enabled: boolean;
  readonly inactivity_expiration_enabled: boolean;
  readonly ssh_enabled: boolean;
  readonly approval_required: boolean;
  readonly groups?: readonly { readonly id: string; readonly name: string }[];
}

interface ApiGroup {
  readonly id: string;
  readonly name: string;
  readonly peers?: readonly { readonly id: string }[] | null;
  readonly resources?: readonly { readonly id: string; readonly type: string }[] | null;
}

/** NetBird's own group of every peer. */
const ALL = "All";

function deviceOf(peer: ApiPeer): MeshDevice {
  return {
    id: peer.id,
    // A second peer of the same host name keeps its name but gets another label, made of its address.
    // https://github.com/netbirdio/netbird/blob/v0.77.1/management/server/peer.go
    name: peer.dns_label.split(".")[0] ?? "",
    dnsName: peer.dns_label,
    hostname: peer.hostname,
    address: peer.ip,
    tags: (peer.groups ?? []).map(({ name }) => name).filter((name) => name !== ALL),
    created: new Date(peer.created_at),
    lastSeen: new Date(peer.last_seen),
    online: peer.connected,
    // Only peers of a user log in again; how long they may stay is an account's setting, which says nothing of this one.
    logsInAgain: peer.login_expiration_enabled,
    waitsForApproval: peer.approval_required,
    // A NetBird route belongs to a network's routers, not to a peer.
    routes: { advertised: [], approved: [] },
  };
}

/** NetBird's management service. Tags are groups, by name. https://docs.netbird.io/api */
export class NetbirdControl implements MeshControl {
  readonly #http: Http;
  /** A group is written as a whole: two that add a peer at once would lose one. */
  readonly #groups = new OneAtATime();

  constructor(options: HttpOptions) {
    this.#http = new Http(options);
  }

  /** For resources that are nothing but an object of the API. */
  get http(): Http {
    return this.#http;
  }

  async createKey({ description, tags, lifetimeSeconds }: KeyRequest): Promise<MintedKey> {
    const groups = await this.#groupsNamed(tags);
    const made = await this.#http.json<{ id: string; key: string; expires: string }>({
      method: "POST",
      path: "/api/setup-keys",
      body: {
        name: description,
        type: "one-off",
        expires_in: lifetimeSeconds,
        auto_groups: groups.map(({ id }) => id),
        usage_limit: 1,
        ephemeral: false,
      },
    });
    const expires = new Date(made.expires);
    // It does not say when the key was made, but reckons the end from then.
    return { id: made.id, key: made.key, created: new Date(expires.getTime() - lifetimeSeconds * 1000), expires };
  }

  async revokeKey(id: string): Promise<void> {
    await this.#http.send({ method: "DELETE", path: `/api/setup-keys/${encodeURIComponent(id)}`, fine: [404] });
  }

  async devices(): Promise<readonly MeshDevice[]> {
    const peers = await this.#http.json<readonly ApiPeer[]>({ method: "GET", path: "/api/peers" });
    return peers.map(deviceOf);
  }

  async removeDevice(id: string): Promise<void> {
    await this.#http.send({ method: "DELETE", path: peerPath(id), fine: [404] });
  }

  async disableKeyExpiry(id: string): Promise<void> {
    const peer = await this.#http.json<ApiPeer>({ method: "GET", path: peerPath(id) });
    const { name, ssh_enabled } = peer;
    const body = { name, ssh_enabled, login_expiration_enabled: false, inactivity_expiration_enabled: false };
    await this.#http.send({ method: "PUT", path: peerPath(id), body });
  }

  setTags(id: string, tags: readonly string[], formerly: readonly string[]): Promise<void> {
    return this.#groups.run(async () => {
      const wanted = new Set((await this.#groupsNamed(tags)).map((group) => group.id));
      for (const group of await this.#allGroups()) {
        const peers = (group.peers ?? []).map((peer) => peer.id);
        const [isIn, shouldBe] = [peers.includes(id), wanted.has(group.id)];
        const leaves = isIn && !shouldBe && formerly.includes(group.name);
        if (!leaves && isIn === (shouldBe || isIn)) continue;
        await this.#putPeers(group, leaves ? peers.filter((peer) => peer !== id) : [...peers, id]);
      }
    });
  }

  async #putPeers({ id, name, resources }: ApiGroup, peers: readonly string[]): Promise<void> {
    const body = { name, peers, resources: resources ?? [] };
    await this.#http.send({ method: "PUT", path: `/api/groups/${encodeURIComponent(id)}`, body });
  }

  #allGroups(): Promise<readonly ApiGroup[]> {
    return this.#http.json<readonly ApiGroup[]>({ method: "GET", path: "/api/groups" });
  }

  async #groupsNamed(names: readonly string[]): Promise<ApiGroup[]> {
    const groups = await this.#allGroups();
    return names.map((name) => {
      const found = groups.find((group) => group.name === name);
      if (found !== undefined) return found;
      const known = groups.map((group) => group.name).join(", ");
      throw new Error(`NetBird has no group ${name} · it has ${known} · fix: make the group first (NetbirdGroup)`);
    });
  }
}

const peerPath = (id: string): string => `/api/peers/${encodeURIComponent(id)}`;
