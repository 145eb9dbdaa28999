import { request } from "node:https";
import { parse } from "yaml";
import type { ReleaseAddress } from "../components/platform/pending-lock.ts";

interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly "certificate-authority-data": string } },
  ];
  readonly users: readonly [
    { readonly user: { readonly "client-certificate-data": string; readonly "client-key-data": string } },
  ];
}

interface SecretList {
  readonly items?: readonly {
    readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  }[];
}

const decode = (data: string): Buffer => Buffer.from(data, "base64");

/** How long the API may take to answer one request. Milliseconds. */
const TIMEOUT = 15_000;

function call(kubeconfig: Kubeconfig, method: "GET" | "DELETE", path: string): Promise<string> {
  const { cluster } = kubeconfig.clusters[0];
  const { user } = kubeconfig.users[0];
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

/**
 * Removes the record of a release that an interrupted install or upgrade left pending, through the Kubernetes API.
 * Helm keeps each revision in a Secret whose label says its state: https://helm.sh/docs/topics/advanced/#storage-backends
 */
export async function clearPendingRelease(kubeconfigText: string, release: ReleaseAddress): Promise<readonly string[]> {
  const kubeconfig = parse(kubeconfigText) as Kubeconfig;
  const secrets = `/api/v1/namespaces/${release.namespace}/secrets`;
  const selector = encodeURIComponent(
    `owner=helm,name=${release.name},status in (pending-install,pending-upgrade,pending-rollback)`,
  );
  const list = JSON.parse(await call(kubeconfig, "GET", `${secrets}?labelSelector=${selector}`)) as SecretList;
  const names = (list.items ?? []).map(({ metadata }) => metadata.name);
  for (const name of names) await call(kubeconfig, "DELETE", `${secrets}/${name}`);
  return names;
}
