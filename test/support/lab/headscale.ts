import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./run.ts";
import type { Lab } from "./lab.ts";

/** A device as headscale knows it. */
export interface HeadscaleDevice {
  readonly id: string;
  /** What the mesh calls it, suffix included. */
  readonly givenName: string;
  readonly addresses: readonly string[];
  readonly tags: readonly string[];
  readonly approvedRoutes: readonly string[];
  readonly availableRoutes: readonly string[];
  /** When it must log in again; absent: never. */
  readonly expiry?: string;
}

/** A key that devices join with. */
export interface HeadscaleKey {
  readonly id: number | string;
  readonly used?: boolean;
  readonly reusable?: boolean;
  readonly ephemeral?: boolean;
}

/** A policy: what headscale's own `policy set` takes. */
export type Policy = Readonly<Record<string, unknown>>;

const PORT = 8080;

const configuration = (address: string): string => `server_url: http://${address}:${PORT}
listen_addr: 0.0.0.0:${PORT}
metrics_listen_addr: ""
grpc_listen_addr: 127.0.0.1:50443
noise: { private_key_path: /var/lib/headscale/noise_private.key }
prefixes: { v4: 100.64.0.0/10, allocation: sequential }
derp:
  server:
    enabled: true
    region_id: 999
    region_code: lab
    region_name: lab
    verify_clients: true
    stun_listen_addr: 0.0.0.0:3478
    private_key_path: /var/lib/headscale/derp_server_private.key
    automatically_add_embedded_derp_region: true
    ipv4: ${address}
  urls: []
  paths: []
  auto_update_enabled: false
disable_check_updates: true
database: { type: sqlite, sqlite: { path: /var/lib/headscale/db.sqlite, write_ahead_log: true } }
log: { level: info, format: text }
policy: { mode: database }
dns: { magic_dns: true, base_domain: mesh.example, override_local_dns: false, nameservers: { global: [] } }
unix_socket: /run/headscale/headscale.sock
unix_socket_permission: "0770"
logtail: { enabled: false }
`;

const UNIT = `[Unit]
Description=headscale
[Service]
ExecStart=/opt/mirror/headscale serve
RuntimeDirectory=headscale
StateDirectory=headscale
Restart=on-failure
[Install]
WantedBy=multi-user.target
`;

interface NodeJson {
  readonly id: number | string;
  readonly given_name: string;
  readonly ip_addresses: readonly string[];
  readonly tags?: readonly string[];
  readonly approved_routes?: readonly string[];
  readonly available_routes?: readonly string[];
  readonly expiry?: unknown;
}

/** A real headscale on a host of a lab: database in a file, its own relay, plain HTTP. */
export class Headscale {
  /** What clients log in to. */
  readonly url: string;
  readonly #lab: Lab;
  readonly #host: string;

  private constructor(lab: Lab, host: string) {
    this.#lab = lab;
    this.#host = host;
    this.url = `http://${lab.host(host).address}:${PORT}`;
  }

  /** Starts headscale on a host, with a user and a policy. */
  static async start(
    lab: Lab,
    host: string,
    plan: { readonly binary: string; readonly policy: Policy },
  ): Promise<Headscale> {
    mkdirSync(lab.mirror, { recursive: true });
    copyFileSync(plan.binary, join(lab.mirror, "headscale"));
    const headscale = new Headscale(lab, host);
    const { address } = lab.host(host);
    await lab.exec(host, "install -D -m 0644 /dev/stdin /etc/headscale/config.yaml", { input: configuration(address) });
    await lab.exec(host, "install -m 0644 /dev/stdin /etc/systemd/system/headscale.service", { input: UNIT });
    await lab.exec(host, "systemctl daemon-reload && systemctl enable --now headscale", { seconds: 60 });
    await eventually("headscale", { seconds: 60 }, async () => {
      const { code } = await lab.exec(host, "/opt/mirror/headscale users list", { mayFail: true });
      return code === 0 || undefined;
    });
    await headscale.#run("users create ops");
    await headscale.setPolicy(plan.policy);
    return headscale;
  }

  /** A key of its API, for an hour. */
  async createApiKey(): Promise<string> {
    return (await this.#run("apikeys create --expiration 1h")).trim();
  }

  /** The policy as it stands, comments included. */
  async policy(): Promise<string> {
    // It is printed as a line: with one line end more than it has.
    return (await this.#run("policy get")).slice(0, -1);
  }

  /** Keys that devices join with, used ones included. */
  async keys(): Promise<readonly HeadscaleKey[]> {
    return (JSON.parse(await this.#run("preauthkeys list -o json")) as HeadscaleKey[] | null) ?? [];
  }

  /** Replaces the policy; a text keeps its comments. */
  async setPolicy(policy: Policy | string): Promise<void> {
    await this.#lab.exec(
      this.#host,
      "cat >/root/policy.json && /opt/mirror/headscale policy set -f /root/policy.json",
      {
        input: typeof policy === "string" ? policy : JSON.stringify(policy),
      },
    );
  }

  /** A key that works once and tags who uses it. */
  async createKey(tag: string): Promise<string> {
    const { key } = JSON.parse(await this.#run(`preauthkeys create --tags ${tag} --expiration 1h -o json`)) as {
      key: string;
    };
    return key;
  }

  /** All devices, by the name that the mesh calls them. */
  async devices(): Promise<HeadscaleDevice[]> {
    const nodes = JSON.parse(await this.#run("nodes list -o json")) as NodeJson[] | null;
    return (nodes ?? []).map((node) => ({
      id: String(node.id),
      givenName: node.given_name,
      addresses: node.ip_addresses,
      tags: node.tags ?? [],
      approvedRoutes: node.approved_routes ?? [],
      availableRoutes: node.available_routes ?? [],
      ...(node.expiry === undefined || node.expiry === null ? {} : { expiry: JSON.stringify(node.expiry) }),
    }));
  }

  /** One device. @throws Error if there is none or more than one of that name */
  async device(name: string): Promise<HeadscaleDevice> {
    const found = (await this.devices()).filter(({ givenName }) => givenName === name);
    if (found.length !== 1) throw new Error(`headscale has ${found.length} devices named ${name}`);
    return found[0]!;
  }

  /** Removes a device, as the end of its machine does. */
  async removeDevice(id: string): Promise<void> {
    await this.#run(`nodes delete --identifier ${id} --force`);
  }

  /** Makes a device log in again at a time. */
  async expireDevice(id: string, when: Date): Promise<void> {
    await this.#run(`nodes expire --identifier ${id} --expiry ${when.toISOString()} --force`);
  }

  async #run(command: string): Promise<string> {
    return (await this.#lab.exec(this.#host, `/opt/mirror/headscale ${command}`)).stdout;
  }
}
