import { request } from "node:https";
import { parse } from "yaml";

interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly "certificate-authority-data": string } },
  ];
  readonly users: readonly [
    { readonly user: { readonly "client-certificate-data": string; readonly "client-key-data": string } },
  ];
}

/** What names one object among all that ever had its name. */
export interface Identity {
  readonly name: string;
  readonly uid: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const decode = (data: string): Buffer => Buffer.from(data, "base64");

/** Node states no length of its own for a method that seldom has a body, and the server would take none to be there. */
const bodyHeaders = (body: string): Record<string, string | number> => ({
  "content-type": "application/json",
  "content-length": Buffer.byteLength(body),
});

/** How long the API may take to answer one request, to the last byte. Milliseconds. */
const TIMEOUT = 15_000;

/** The object is gone already, or another one has its name now. */
const OVERTAKEN = [404, 409];

/** The Kubernetes API of a region's cluster, for the few requests that are made beside the engine. */
export class ClusterApi {
  readonly #kubeconfig: Kubeconfig;
  readonly #timeout: number;

  /**
   * @param kubeconfig its text, with a client certificate
   * @param timeout how long one request may take, in milliseconds; 15 s unless stated
   */
  constructor(kubeconfig: string, timeout = TIMEOUT) {
    this.#kubeconfig = parse(kubeconfig) as Kubeconfig;
    this.#timeout = timeout;
  }

  /**
   * The items of a list.
   * @throws Error if the API does not answer, or with anything but success
   */
  async list<Item>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<readonly Item[]> {
    const query = new URLSearchParams(parameters).toString();
    const target = query === "" ? path : `${path}?${query}`;
    const { status, text } = await this.#call("GET", target);
    if (status >= 300) throw new Error(`the API answered GET ${target} with ${status}`);
    return (JSON.parse(text) as { readonly items?: readonly Item[] }).items ?? [];
  }

  /**
   * Deletes this object of a collection, and never a later one of its name.
   * @returns whether it was there to be deleted
   * @throws Error if the API does not answer, or refuses
   */
  async delete(collection: string, { name, uid }: Identity): Promise<boolean> {
    const path = `${collection}/${name}`;
    // https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#deleteoptions-v1-meta
    const { status } = await this.#call("DELETE", path, { preconditions: { uid } });
    if (OVERTAKEN.includes(status)) return false;
    if (status >= 300) throw new Error(`the API answered DELETE ${path} with ${status}`);
    return true;
  }

  #call(method: "GET" | "DELETE", path: string, body?: object): Promise<Answer> {
    const { cluster } = this.#kubeconfig.clusters[0];
    const { user } = this.#kubeconfig.users[0];
    const sent = body === undefined ? undefined : JSON.stringify(body);
    // Counts the whole exchange: a time-out of the socket begins anew with every byte, and ends with the socket.
    const deadline = AbortSignal.timeout(this.#timeout);
    const options = {
      method,
      signal: deadline,
      headers: sent === undefined ? {} : bodyHeaders(sent),
      ca: decode(cluster["certificate-authority-data"]),
      cert: decode(user["client-certificate-data"]),
      key: decode(user["client-key-data"]),
    };
    return new Promise((resolve, reject) => {
      const fail = ({ message }: Error): void => {
        const why = deadline.aborted ? ` within ${this.#timeout / 1000} s` : `: ${message}`;
        reject(new Error(`the API did not answer ${method} ${path}${why}`));
      };
      const call = request(new URL(path, cluster.server), options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        // The one sign of an answer that is cut off.
        response.on("error", fail);
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, text });
        });
      });
      call.on("error", fail);
      call.end(sent);
    });
  }
}
