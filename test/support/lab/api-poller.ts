import { request } from "node:https";
import { parse } from "yaml";
import type { Lab } from "./lab.ts";
import { pause } from "./run.ts";

/** What an administrator's client shows and checks. */
export interface ApiCredentials {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: { readonly "certificate-authority-data": string } }];
  readonly users: readonly [
    { readonly user: { readonly "client-certificate-data": string; readonly "client-key-data": string } },
  ];
}

/** Reads the administrator's credentials from a server's own kubeconfig. */
export async function apiCredentials(lab: Lab, server: string): Promise<ApiCredentials> {
  const { stdout } = await lab.exec(server, "cat /etc/rancher/k3s/k3s.yaml");
  const { clusters, users } = parse(stdout) as Kubeconfig;
  const decode = (text: string): Buffer => Buffer.from(text, "base64");
  return {
    ca: decode(clusters[0].cluster["certificate-authority-data"]),
    cert: decode(users[0].user["client-certificate-data"]),
    key: decode(users[0].user["client-key-data"]),
  };
}

/** Whether the API of a server says that it is ready. One request, two seconds at most. */
export function isReady(address: string, credentials?: ApiCredentials): Promise<boolean> {
  const trust = credentials ?? { rejectUnauthorized: false };
  return new Promise((resolve) => {
    const asked = request(
      { host: address, port: 6443, path: "/readyz", method: "GET", agent: false, timeout: 2000, ...trust },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    asked.on("timeout", () => asked.destroy(new Error("timed out")));
    asked.on("error", () => resolve(false));
    asked.end();
  });
}

/** What a poller saw. */
export interface Availability {
  /** Questions asked of all servers at once. */
  readonly rounds: number;
  /** Longest time in which no server at all was ready, in seconds. */
  readonly longestOutage: number;
  /** Longest time in which a server was not, in seconds, by name. */
  readonly longestGaps: Readonly<Record<string, number>>;
}

/** Longest run of one server's refusals. */
class Gap {
  longest = 0;
  #since: number | undefined;

  note(ready: boolean): void {
    const now = Date.now();
    if (ready) this.#since = undefined;
    else this.longest = Math.max(this.longest, (now - (this.#since ??= now)) / 1000);
  }
}

/** Asks every server's API twice a second whether it is ready. Call the result to end it. */
export function pollApi(
  servers: readonly { readonly name: string; readonly address: string }[],
  credentials?: ApiCredentials,
): () => Promise<Availability> {
  const gaps = new Map(servers.map(({ name }) => [name, new Gap()]));
  const all = new Gap();
  let rounds = 0;
  const end = new AbortController();
  const polling = (async () => {
    while (!end.signal.aborted) {
      const answers = await Promise.all(servers.map(({ address }) => isReady(address, credentials)));
      servers.forEach(({ name }, index) => gaps.get(name)?.note(answers[index] === true));
      all.note(answers.includes(true));
      rounds += 1;
      await pause(500);
    }
  })();
  return async () => {
    end.abort();
    await polling;
    const longestGaps = Object.fromEntries([...gaps].map(([name, gap]) => [name, gap.longest]));
    return { rounds, longestOutage: all.longest, longestGaps };
  };
}
