import { stringify } from "yaml";
import type { Lab } from "./lab.ts";

/** A pod that answers with its node's name; it may run under the restricted pod security level. */
const podOn = (node: string, image: string): string =>
  stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `on-${node}`, labels: { app: "lab" } },
    spec: {
      nodeName: node,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65534, seccompProfile: { type: "RuntimeDefault" } },
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: "web",
          image,
          imagePullPolicy: "Never",
          command: ["sh", "-c", `echo ${node} >/tmp/name; exec httpd -f -p 8080 -h /tmp`],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
        },
      ],
    },
  });

/**
 * Runs a pod on each of the nodes and lets every pod ask every pod, by pod address.
 * @param on the server to work on
 * @returns for each node, the names that its pod heard, in the order of the nodes
 */
export async function askAround(
  lab: Lab,
  nodes: readonly string[],
  image: string,
  on: string,
): Promise<Record<string, string[]>> {
  const input = nodes.map((node) => podOn(node, image)).join("---\n");
  await lab.exec(on, "k3s kubectl apply -f -", { input });
  await lab.exec(on, "k3s kubectl wait --for=condition=Ready pod -l app=lab --timeout=90s", { seconds: 120 });
  const addresses: string[] = [];
  for (const node of nodes) {
    const { stdout } = await lab.exec(on, `k3s kubectl get pod on-${node} -o 'jsonpath={.status.podIP}'`);
    addresses.push(stdout);
  }
  // From inside the pod's own network namespace, which CNI made on its node: the image has no client that is sure to work.
  const program = `namespace=$(ip -o netns list | awk '/cni-/ { print $1; exit }')
for address in ${addresses.join(" ")}; do
  ip netns exec "$namespace" curl --silent --show-error --max-time 10 "http://$address:8080/name"
done`;
  const heard: Record<string, string[]> = {};
  for (const node of nodes) heard[node] = (await lab.exec(node, program)).stdout.trim().split("\n");
  return heard;
}

/** Names of etcd's members and whether each votes, as etcd on a server says; k3s's suffixes are cut off. */
export async function etcdMembers(lab: Lab, server: string): Promise<{ name: string; votes: boolean }[]> {
  const tls = "/var/lib/rancher/k3s/server/tls/etcd";
  const program =
    `curl --silent --max-time 10 --cacert ${tls}/server-ca.crt --cert ${tls}/client.crt --key ${tls}/client.key ` +
    "--request POST --data '{}' https://127.0.0.1:2382/v3/cluster/member/list";
  const { members } = JSON.parse((await lab.exec(server, program)).stdout) as {
    members: { name: string; isLearner?: boolean }[];
  };
  return members
    .map(({ name, isLearner }) => ({ name: name.replace(/-[0-9a-f]{8}$/, ""), votes: isLearner !== true }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
