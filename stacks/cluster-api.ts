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

const decode = (data: string): Buffer => Buffer.from(data, "base64");

/** How long the API may take to answer one request. Milliseconds. */
const TIMEOUT = 15_000;

/** The Kubernetes API of a region's cluster, for the few requests that are made beside the engine. */
export class ClusterApi {
  readonly #kubeconfig: Kubeconfig;

  /** @param kubeconfig its text, with a client certificate */
  constructor(kubeconfig: string) {
    this.#kubeconfig = parse(kubeconfig) as Kubeconfig;
  }

  /**
   * The items of a list.
   * @throws Error if the API does not answer, or with anything but success
   */
  async list<Item>(path: string, selectors: Readonly<Record<string, string>> = {}): Promise<readonly Item[]> {
    const query = new URLSearchParams(selectors).toString();
    const text = await this.#call("GET", query === "" ? path : `${path}?${query}`);
    return (JSON.parse(text) as { readonly items?: readonly Item[] }).items ?? [];
  }

  /** Deletes an object. @throws Error if the API does not answer, or with anything but success */
  async delete(path: string): Promise<void> {
    await this.#call("DELETE", path);
  }

  #call(method: "GET" | "DELETE", path: string): Promise<string> {
    const { cluster } = this.#kubeconfig.clusters[0];
    const { user } = this.#kubeconfig.users[0];
    const options = {
      method,
      timeout: TIMEOUT,
      ca: decode(cluster["certificate-authority-data"]),
      cert: decode(user["client-certificate-data"]),
      key: decode(user["client-key-data"]),
    };
    return new Promise((resolve, reject) => {
      const sent = request(new URL(path, cluster.server), options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => {
          const status = response.statusCode ?? 0;
          if (status < 300) resolve(text);
          else reject(new Error(`the API answered ${method} ${path} with ${status}`));
        });
      });
      sent.on("timeout", () =>
        sent.destroy(new Error(`the API did not answer ${method} ${path} within ${TIMEOUT / 1000} s`)),
      );
      sent.on("error", reject);
      sent.end();
    });
  }
}
