import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { run } from "./run.ts";
import type { Finished } from "./run.ts";
import type { Lab } from "./lab.ts";
import { runFromStation, runOnHost, SCRIPTS } from "./scripts.ts";
import type { Reach, ScriptRun, Secrets } from "./scripts.ts";

/** What a region's nodes are made with, as the program would hand it to the scripts. */
export interface LabRegionPlan {
  readonly version: string;
  readonly mirror: string;
  /** Pinned digests. @default none: the mirror's checksum file counts */
  readonly digests?: { readonly binary: string; readonly installer: string };
  /** Lines of config.yaml on top of the node's name and address and the paths of its tokens. @default none */
  readonly configuration?: { readonly every: string; readonly servers: string };
  /** Seconds that k3s may take to start, and a node to be Ready. @default 120 */
  readonly seconds?: number;
}

const roleOf = (host: string): "server" | "agent" => (host.startsWith("server") ? "server" : "agent");

/** Makes a certificate authority by openssl. */
function makeAuthority(folder: string, name: string): { certificate: string; key: string } {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  run("openssl", ["ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", key], 20);
  run("openssl", ["req", "-x509", "-new", "-key", key, "-subj", `/CN=${name}`, "-days", "30", "-out", certificate], 20);
  return { certificate: run("cat", [certificate], 5), key: run("cat", [key], 5) };
}

/**
 * A region's scripts called one by one on the hosts of a lab, without an engine: what proves the scripts themselves.
 * Host names that start with `server` are servers.
 */
export class LabRegion {
  readonly lab: Lab;
  readonly name = "lab";
  readonly plan: LabRegionPlan;
  readonly #owner = randomBytes(8).toString("hex");
  readonly #secrets: { readonly server: Secrets; readonly agent: Secrets };

  constructor(lab: Lab, plan: LabRegionPlan) {
    this.lab = lab;
    this.plan = plan;
    const server = makeAuthority(lab.folder, "lab-server-ca");
    const client = makeAuthority(lab.folder, "lab-client-ca");
    const digest = createHash("sha256").update(server.certificate).digest("hex");
    const [serverPassword, agentPassword] = [randomBytes(16).toString("hex"), randomBytes(16).toString("hex")];
    const joining = { SERVER_CA: server.certificate, AGENT_TOKEN: agentPassword };
    this.#secrets = {
      agent: { ...joining, TOKEN: `K10${digest}::node:${agentPassword}` },
      server: {
        ...joining,
        TOKEN: `K10${digest}::server:${serverPassword}`,
        SERVER_CA_KEY: server.key,
        CLIENT_CA: client.certificate,
        CLIENT_CA_KEY: client.key,
      },
    };
  }

  /** Names of the servers of the lab, in order. */
  get servers(): string[] {
    return this.lab.hosts.map(({ name }) => name).filter((name) => roleOf(name) === "server");
  }

  /** The secrets of a node, for a test that looks for one where it must not be. */
  secretsOf(node: string): Secrets {
    return this.#secrets[roleOf(node)];
  }

  /** The run of a host's claim, verification or release. */
  hostRun(node: string, action: "claim" | "verify" | "release"): ScriptRun {
    const parameters = { NODE_NAME: node, REGION: this.name, GENERATION: "1" };
    return { script: SCRIPTS.host, action, parameters, secrets: { OWNER: this.#owner } };
  }

  /** Claims, verifies or releases a host. */
  host(node: string, action: "claim" | "verify" | "release", reach: Partial<Reach> = {}): Promise<Finished> {
    return runFromStation(this.lab, { targets: [node], ...reach }, this.hostRun(node, action));
  }

  /** The run that installs or converges k3s on a host. */
  nodeRun(
    node: string,
    action: "install" | "converge",
    changes: Readonly<Record<string, string>> = {},
    limits = { timeoutSeconds: 300, lockSeconds: 60 },
  ): ScriptRun {
    const role = roleOf(node);
    const { version, mirror, digests, configuration, seconds = 120 } = this.plan;
    const others = this.servers.filter((server) => server !== node).map((server) => this.lab.host(server).address);
    const parameters = {
      NODE_NAME: node,
      ROLE: role,
      VERSION: version,
      MIRROR: mirror,
      SHA256_AMD64: digests?.binary ?? "",
      SHA256_ARM64: "",
      SHA256_INSTALLER: digests?.installer ?? "",
      REGISTRIES: "",
      AUDIT_POLICY: "",
      ADMISSION: "",
      SYSCTL: "",
      START_SECONDS: String(seconds),
      CONFIG: this.#configuration(node, configuration),
      ...(action === "install"
        ? {
            CANDIDATES: others.join(" "),
            CLUSTER_EXISTS: "no",
            MAY_INITIALISE: this.servers[0] === node ? "yes" : "no",
            REGISTRATION: `node-label:\n  - hybrid-k3s.io/site=${this.lab.host(node).site}\n`,
          }
        : {}),
      ...changes,
    };
    return { script: SCRIPTS.node, action, parameters, secrets: this.#secrets[role], limits };
  }

  #configuration(node: string, more: LabRegionPlan["configuration"]): string {
    const server = roleOf(node) === "server";
    return [
      ...(server ? ["agent-token-file: /etc/rancher/k3s/agent-token", more?.servers ?? ""] : []),
      more?.every ?? "",
      `node-ip: ${this.lab.host(node).address}`,
      `node-name: ${node}`,
      "token-file: /etc/rancher/k3s/token",
    ]
      .filter((line) => line !== "")
      .map((line) => `${line}\n`)
      .join("");
  }

  /** Installs or converges k3s on a host. */
  node(
    node: string,
    action: "install" | "converge",
    changes: Readonly<Record<string, string>> = {},
    limits?: { timeoutSeconds: number; lockSeconds: number },
  ): Promise<Finished> {
    return runOnHost(this.lab, node, this.nodeRun(node, action, changes, limits));
  }

  /** Works on a node's membership, from the first of the servers that answers; the node itself comes last. */
  member(
    node: string,
    action: "join" | "converge" | "leave",
    changes: Readonly<Record<string, string>> = {},
    reach: Partial<Reach> = {},
  ): Promise<Finished> {
    const marks = {
      READY_SECONDS: String(this.plan.seconds ?? 120),
      VERSION: this.plan.version,
      LABELS: "",
      TAINTS: "",
    };
    const parameters = {
      NODE_NAME: node,
      ROLE: roleOf(node),
      ...(action === "leave" ? { DRAIN_SECONDS: "30" } : marks),
      ...changes,
    };
    const others = this.servers.filter((server) => server !== node);
    const targets = action === "leave" ? others : [...others, ...(roleOf(node) === "server" ? [node] : [])];
    return runFromStation(
      this.lab,
      { targets: targets.length > 0 ? targets : [node], ...reach },
      {
        script: SCRIPTS.member,
        action,
        parameters,
        secrets: { SERVER_CA: this.#secrets.server["SERVER_CA"] ?? "" },
        lock: `hybrid-k3s-member-${node}`,
      },
    );
  }

  /** Takes the work off a node whose machine is to become `shape`, from the first of the other servers that answers. */
  pause(
    node: string,
    shape: string,
    changes: Readonly<Record<string, string>> = {},
    reach: Partial<Reach> = {},
  ): Promise<Finished> {
    const parameters = {
      NODE_NAME: node,
      ROLE: roleOf(node),
      REGION: this.name,
      SHAPE: shape,
      DRAIN_SECONDS: "30",
      ...changes,
    };
    const others = this.servers.filter((server) => server !== node);
    return runFromStation(
      this.lab,
      { targets: others.length > 0 ? others : [node], ...reach },
      { script: SCRIPTS.pause, action: "pause", parameters, lock: `hybrid-k3s-member-${node}` },
    );
  }

  /** Brings a node up from nothing, and throws what its scripts say if one of them fails. */
  async bringUp(node: string, changes: Readonly<Record<string, string>> = {}): Promise<void> {
    succeeded(await this.host(node, "claim"));
    succeeded(await this.node(node, "install", changes));
    succeeded(await this.member(node, "join"));
  }

  /** Takes a node out and gives its host back. */
  async takeDown(node: string): Promise<void> {
    succeeded(await this.member(node, "leave"));
    succeeded(await this.host(node, "release"));
  }
}

/** Throws what a script said unless it succeeded. */
export function succeeded(done: Finished): Finished {
  if (done.code === 0) return done;
  throw new Error(`exit code ${done.code}\n${done.stdout}\n${done.stderr}`);
}
