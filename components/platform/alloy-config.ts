import { NODE_LABELS } from "./spot.ts";

/** Where Alloy keeps how far it has read, on each machine. */
export const ALLOY_FOLDER = "/var/lib/alloy";

/** A label of a node, as Alloy's discovery names it. */
const nodeMeta = (label: string): string => `__meta_kubernetes_node_label_${label.replace(/[^a-zA-Z0-9_]/g, "_")}`;

const LABELS = {
  namespace: "__meta_kubernetes_namespace",
  pod: "__meta_kubernetes_pod_name",
  container: "__meta_kubernetes_pod_container_name",
  app: "__meta_kubernetes_pod_label_app_kubernetes_io_name",
  node: "__meta_kubernetes_pod_node_name",
  site: nodeMeta(NODE_LABELS.site),
} as const;

const rule = (target: string, source: string): string => `  rule {
    source_labels = ["${source}"]
    target_label  = "${target}"
  }
`;

/**
 * Renders Alloy's configuration: the logs of this machine's pods, read from its own disk, to Loki.
 * https://grafana.com/docs/alloy/latest/reference/components/loki/loki.source.file/
 * @param region name of the region, a label of every log
 * @param url where Loki takes logs
 */
export const alloyConfig = (region: string, url: string): string => `discovery.kubernetes "pods" {
  role = "pod"
  selectors {
    role  = "pod"
    field = "spec.nodeName=" + sys.env("HOSTNAME")
  }
  attach_metadata {
    node = true
  }
}

discovery.relabel "pods" {
  targets = discovery.kubernetes.pods.targets
${Object.entries(LABELS)
  .map(([target, source]) => rule(target, source))
  .join("")}  rule {
    source_labels = ["__meta_kubernetes_pod_uid", "__meta_kubernetes_pod_container_name"]
    separator     = "/"
    target_label  = "__path__"
    replacement   = "/var/log/pods/*$1/*.log"
  }
}

local.file_match "pods" {
  path_targets = discovery.relabel.pods.output
}

loki.source.file "pods" {
  targets    = local.file_match.pods.targets
  forward_to = [loki.process.pods.receiver]
}

loki.process "pods" {
  stage.cri {}
  forward_to = [loki.write.loki.receiver]
}

loki.write "loki" {
  endpoint {
    url = "${url}"
  }
  external_labels = { region = "${region}" }
}
`;
