import { randomBytes } from "node:crypto";
import { JsonServer, type ApiAnswer, type ApiCall, type Route } from "./json-server.ts";
import { NetbirdState, type NetbirdGroup, type NetbirdKey, type NetbirdPeer } from "./netbird-state.ts";

type Body = ApiCall["body"];

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
const refused = (status: number, message: string): ApiAnswer => ({ status, body: { message, code: status } });
const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** Collections whose objects are kept as they are written. */
const PLAIN = [
  { name: "policies", pattern: "policies" },
  { name: "networks", pattern: "networks" },
  { name: "resources", pattern: "networks/[^/]+/resources" },
  { name: "routers", pattern: "networks/[^/]+/routers" },
  { name: "zones", pattern: "dns/zones" },
] as const;

/**
 * NetBird's management service as far as this project uses it, over HTTP on the loopback address: one-off setup keys that
 * can be used once, groups that come with a key, labels for names that are taken, approvals. Not simulated: what policies
 * and networks do; they are kept as they are written.
 */
export class NetbirdStandIn extends NetbirdState {
  readonly token = `nbp_standIn${randomBytes(12).toString("hex")}`;
  readonly server: JsonServer;
  /** Objects of the plain collections by path, such as `/api/policies/policies7`. */
  readonly objects = new Map<string, Readonly<Record<string, unknown>>>();

  constructor() {
    super();
    const routes = [...this.#keyRoutes(), ...this.#peerRoutes(), ...this.#groupRoutes(), ...this.#plainRoutes()];
    const guard = ({ headers }: ApiCall): ApiAnswer | undefined =>
      headers.authorization === `Token ${this.token}` ? undefined : refused(401, "token invalid");
    this.server = new JsonServer(routes, guard);
  }

  /** Starts to listen. @returns the base URL */
  serve(): Promise<string> {
    return this.server.serve();
  }

  /** Base URL. */
  get url(): string {
    return this.server.url;
  }

  /** Ends it. */
  stop(): Promise<void> {
    return this.server.stop();
  }

  #keyRoutes(): Route[] {
    return [
      { method: "POST", path: /^\/api\/setup-keys$/, answer: ({ body }) => this.#createKey(body) },
      {
        method: "GET",
        path: /^\/api\/setup-keys$/,
        answer: () => ({ body: [...this.keys.values()].map((key) => this.#key(key, false)) }),
      },
      {
        method: "DELETE",
        path: /^\/api\/setup-keys\/([^/]+)$/,
        answer: ({ parts: [id = ""] }) => (this.keys.delete(id) ? {} : refused(404, "setup key not found")),
      },
    ];
  }

  #createKey(body: Body): ApiAnswer {
    const groups = strings(body["auto_groups"]);
    const unknown = groups.find((id) => !this.groups.has(id));
    if (unknown !== undefined) return refused(422, `group not found: ${unknown}`);
    const given = { name: String(body["name"]), groups, limit: Number(body["usage_limit"]) };
    return { body: this.#key(this.makeKey(given, Number(body["expires_in"])), true) };
  }

  #key({ id, key, name, expires, uses, revoked, groups }: NetbirdKey, clear: boolean): object {
    return {
      id,
      key: clear ? key : `${key.slice(0, 4)}****`,
      name,
      expires: iso(expires),
      used_times: uses,
      revoked,
      auto_groups: groups,
    };
  }

  #peerRoutes(): Route[] {
    const on =
      (act: (peer: NetbirdPeer, body: Body) => ApiAnswer) =>
      ({ parts: [id = ""], body }: ApiCall): ApiAnswer => {
        const peer = this.peers.get(id);
        return peer === undefined ? refused(404, `peer not found: ${id}`) : act(peer, body);
      };
    const one = /^\/api\/peers\/([^/]+)$/;
    return [
      {
        method: "GET",
        path: /^\/api\/peers$/,
        answer: () => ({ body: [...this.peers.values()].map((peer) => this.#peer(peer)) }),
      },
      { method: "GET", path: one, answer: on((peer) => ({ body: this.#peer(peer) })) },
      { method: "DELETE", path: one, answer: on(({ id }) => this.#deletePeer(id)) },
      {
        method: "PUT",
        path: one,
        answer: on((peer, body) => {
          peer.loginExpires = body["login_expiration_enabled"] === true;
          return { body: this.#peer(peer) };
        }),
      },
    ];
  }

  /** https://github.com/netbirdio/netbird/blob/v0.77.1/management/server/peer.go (validatePeerDelete) */
  #deletePeer(id: string): ApiAnswer {
    const router = [...this.objects].find(([path, { peer }]) => path.includes("/routers/") && peer === id);
    if (router !== undefined) return refused(412, `peer is linked to network router: ${router[0]}`);
    this.removePeer(id);
    return {};
  }

  #peer(peer: NetbirdPeer): object {
    const groups = [...this.groups.values()].filter(({ peers }) => peers.has(peer.id));
    return {
      id: peer.id,
      name: peer.hostname,
      hostname: peer.hostname,
      ip: peer.address,
      dns_label: `${peer.label}.netbird.cloud`,
      connected: peer.online,
      created_at: iso(peer.created),
      last_seen: iso(peer.lastSeen),
      last_login: iso(peer.created),
      login_expiration_enabled: peer.loginExpires,
      inactivity_expiration_enabled: false,
      ssh_enabled: false,
      approval_required: peer.approvalRequired,
      groups: groups.map(({ id, name, peers }) => ({ id, name, peers_count: peers.size, resources_count: 0 })),
    };
  }

  #groupRoutes(): Route[] {
    const one = /^\/api\/groups\/([^/]+)$/;
    const on =
      (act: (group: NetbirdGroup, body: Body) => ApiAnswer) =>
      ({ parts: [id = ""], body }: ApiCall): ApiAnswer => {
        const group = this.groups.get(id);
        return group === undefined ? refused(404, `group not found: ${id}`) : act(group, body);
      };
    return [
      {
        method: "GET",
        path: /^\/api\/groups$/,
        answer: () => ({ body: [...this.groups.values()].map((group) => this.#group(group)) }),
      },
      {
        method: "POST",
        path: /^\/api\/groups$/,
        answer: ({ body }) => {
          const name = String(body["name"]);
          const isTaken = [...this.groups.values()].some((group) => group.name === name);
          if (isTaken) return refused(409, `group with name ${name} already exists`);
          return { body: this.#group(this.addGroup(name)) };
        },
      },
      { method: "GET", path: one, answer: on((group) => ({ body: this.#group(group) })) },
      {
        method: "PUT",
        path: one,
        answer: on((group, body) => {
          // As written, members included: left out means none.
          group.name = String(body["name"]);
          group.peers = new Set(strings(body["peers"]));
          group.resources = (body["resources"] as readonly unknown[] | undefined) ?? [];
          return { body: this.#group(group) };
        }),
      },
      { method: "DELETE", path: one, answer: on(({ id }) => this.#deleteGroup(id)) },
    ];
  }

  #deleteGroup(id: string): ApiAnswer {
    const key = [...this.keys.values()].find(({ groups }) => groups.includes(id));
    if (key !== undefined) return refused(400, `group has been linked to setup key: ${key.name}`);
    const user = [...this.objects].find(([, object]) => JSON.stringify(object).includes(JSON.stringify(id)));
    if (user !== undefined) return refused(400, `group has been linked to ${user[0]}`);
    this.groups.delete(id);
    return {};
  }

  #group({ id, name, peers, resources }: NetbirdGroup): object {
    const members = [...peers].map((peer) => ({ id: peer, name: this.peers.get(peer)?.hostname ?? "" }));
    return { id, name, peers: members, resources, peers_count: peers.size, resources_count: resources.length };
  }

  /** A group that a policy's rule names, and that is not there. */
  #unknownGroup({ rules }: Body): string | undefined {
    const named = (Array.isArray(rules) ? (rules as Body[]) : []).flatMap(({ sources, destinations }) => [
      ...strings(sources),
      ...strings(destinations),
    ]);
    return named.find((id) => !this.groups.has(id));
  }

  #plainRoutes(): Route[] {
    return PLAIN.flatMap(({ name, pattern }): Route[] => {
      const [collection, one] = [new RegExp(`^/api/${pattern}$`), new RegExp(`^/api/${pattern}/[^/]+$`)];
      const known = (path: string, act: () => ApiAnswer): ApiAnswer =>
        this.objects.has(path) ? act() : refused(404, `${name} not found`);
      const put = (path: string, id: string, body: Body): ApiAnswer => {
        this.objects.set(path, { ...body, id });
        return { body: { ...body, id } };
      };
      return [
        {
          method: "POST",
          path: collection,
          answer: ({ path, body }) => {
            const unknown = this.#unknownGroup(body);
            if (unknown !== undefined) return refused(422, `group not found: ${unknown}`);
            const id = this.nextId(name);
            return put(`${path}/${id}`, id, body);
          },
        },
        { method: "GET", path: one, answer: ({ path }) => known(path, () => ({ body: this.objects.get(path) })) },
        {
          method: "PUT",
          path: one,
          answer: ({ path, body }) => {
            const unknown = this.#unknownGroup(body);
            if (unknown !== undefined) return refused(422, `group not found: ${unknown}`);
            return known(path, () => put(path, path.split("/").at(-1) ?? "", body));
          },
        },
        { method: "DELETE", path: one, answer: ({ path }) => known(path, () => (this.objects.delete(path), {})) },
      ];
    });
  }
}
