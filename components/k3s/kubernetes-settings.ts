import type { CiliumSettings } from "./cilium-settings.ts";

/** What a region says about Kubernetes itself. Plain values: they shape the graph and the configuration text. */
export interface KubernetesSettings {
  /** k3s release, such as `v1.36.3+k3s1`. */
  readonly version: string;
  /** Pod network. @default "flannel" */
  readonly cni: "flannel" | "cilium";
  /** How flannel carries packets from node to node. @default "vxlan" */
  readonly flannelBackend: "vxlan" | "wireguard-native";
  /** Present exactly where `cni` is `cilium`. */
  readonly cilium?: CiliumSettings;
  /** Host name or address at which the API is reached from outside, such as a load balancer. @default the first server's address */
  readonly endpoint?: string;
  /** Further names and addresses in the API certificate. @default [] */
  readonly tlsSans: readonly string[];
  /** How many agents are worked on at once. @default 5 */
  readonly parallelism: number;
  /** Base address of a directory with `<version>/k3s`, `k3s-arm64`, `sha256sum-<arch>.txt` and `install.sh`: http, https or file. @default GitHub */
  readonly mirror?: string;
  /** k3s's hardening guide. @default on, with the `restricted` pod security level */
  readonly hardening: {
    readonly enabled: boolean;
    /** Pod security level for namespaces that state none. @default "restricted" */
    readonly podSecurity: "restricted" | "baseline" | "privileged";
    /** Namespaces that the pod security default leaves alone. `kube-system` always is one of them. @default [] */
    readonly exemptNamespaces: readonly string[];
  };
  /** Raw k3s configuration, merged last: a key of ours that it names is overridden. @default {} */
  readonly config: Readonly<Record<string, unknown>>;
  /** Extra kubelet arguments on every node, such as `max-pods=200`. @default [] */
  readonly kubeletArguments: readonly string[];
  /** Content of k3s's registries.yaml, applied to every node. @default none */
  readonly registries?: Readonly<Record<string, unknown>>;
  /** How long a node may drain before it is removed all the same, in seconds. @default 300 */
  readonly drainSeconds: number;
  /** How long to wait for a host to answer on SSH, in seconds. @default 300 */
  readonly connectSeconds: number;
}
