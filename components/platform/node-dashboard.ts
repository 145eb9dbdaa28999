import { NODE_LABELS } from "./spot.ts";

/** A node label as kube-state-metrics shows it. */
export const metricLabel = (label: string): string => `label_${label.replace(/[^a-zA-Z0-9_]/g, "_")}`;

const SITE = metricLabel(NODE_LABELS.site);
/** Joins a metric of node-exporter, which names its node, with the site that the node stands in. */
const bySite = (expression: string): string =>
  `${expression} * on (node) group_left (${SITE}) max by (node, ${SITE}) (kube_node_labels{${SITE}=~"$site"})`;

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly queries: readonly { readonly expression: string; readonly legend: string }[];
}

const PANELS: readonly Panel[] = [
  {
    title: "CPU in use",
    unit: "percentunit",
    queries: [
      {
        expression: bySite('(1 - avg by (node) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval])))'),
        legend: `{{${SITE}}} {{node}}`,
      },
    ],
  },
  {
    title: "Memory in use",
    unit: "percentunit",
    queries: [
      {
        expression: bySite("(1 - max by (node) (node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes))"),
        legend: `{{${SITE}}} {{node}}`,
      },
    ],
  },
  {
    title: "System disk in use",
    unit: "percentunit",
    queries: [
      {
        expression: bySite(
          '(1 - max by (node) (node_filesystem_avail_bytes{mountpoint="/"} / node_filesystem_size_bytes{mountpoint="/"}))',
        ),
        legend: `{{${SITE}}} {{node}}`,
      },
    ],
  },
  {
    title: "Through the mesh",
    unit: "Bps",
    queries: [
      {
        expression: bySite(
          'sum by (node) (rate(node_network_transmit_bytes_total{device=~"tailscale0|wt0"}[$__rate_interval]))',
        ),
        legend: `{{${SITE}}} {{node}} sends`,
      },
      {
        expression: bySite(
          'sum by (node) (rate(node_network_receive_bytes_total{device=~"tailscale0|wt0"}[$__rate_interval]))',
        ),
        legend: `{{${SITE}}} {{node}} receives`,
      },
    ],
  },
  {
    title: "Requests to etcd that take longest (99 of 100 are faster)",
    unit: "s",
    // What the API server measures of it: k3s shows etcd's own metrics only where it is told to.
    queries: [
      {
        expression:
          "histogram_quantile(0.99, sum by (le) (rate(etcd_request_duration_seconds_bucket[$__rate_interval])))",
        legend: "all servers",
      },
    ],
  },
];

/** Grafana's dashboard of a region's nodes by site: use, what goes through the mesh, and how long etcd takes. */
export const nodeDashboard = (region: string): string =>
  JSON.stringify({
    uid: "hybrid-k3s-nodes",
    title: `${region}: nodes by site`,
    schemaVersion: 39,
    refresh: "1m",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [
        {
          name: "site",
          type: "query",
          datasource: { type: "prometheus", uid: "prometheus" },
          query: `label_values(kube_node_labels, ${SITE})`,
          includeAll: true,
          allValue: ".*",
          multi: true,
          current: { text: "All", value: "$__all" },
          refresh: 2,
        },
      ],
    },
    panels: PANELS.map(({ title, unit, queries }, index) => ({
      id: index + 1,
      type: "timeseries",
      title,
      datasource: { type: "prometheus", uid: "prometheus" },
      fieldConfig: { defaults: { unit, min: 0 } },
      gridPos: { x: (index % 2) * 12, y: Math.floor(index / 2) * 8, w: 12, h: 8 },
      targets: queries.map(({ expression, legend }, number) => ({
        refId: String.fromCharCode(65 + number),
        expr: expression,
        legendFormat: legend,
      })),
    })),
  });
