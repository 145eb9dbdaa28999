/** Something that people know by this name and that is kept no more. */
export interface Retired {
  /** Completes "found …". */
  readonly found: string;
  /** Completes "fix: …". */
  readonly fix: string;
}

/** What is asked for out of habit, by the name that stands below `platform`. */
export const RETIRED: Readonly<Record<string, Retired>> = {
  // https://kubernetes.io/blog/2025/11/11/ingress-nginx-retirement/
  "ingress-nginx": {
    found: "ingress-nginx, which gets no fixes any more since March 2026",
    fix: "write traefik, which reads most of its annotations, or envoy-gateway; docs/ingress.md has the steps",
  },
  // https://github.com/minio/minio: archived
  minio: { found: "MinIO, which is archived", fix: "write garage, or give releases a bucket of a provider" },
  // https://github.com/GoogleContainerTools/kaniko: archived
  kaniko: { found: "Kaniko, which is archived", fix: "write buildkit" },
  // https://grafana.com/docs/loki/latest/send-data/promtail/
  promtail: { found: "Promtail, which is at its end", fix: "write alloy" },
  // https://github.com/cloudnative-pg/cloudnative-pg/blob/main/docs/src/appendixes/backup_barmanobjectstore.md
  barman: { found: "Barman inside of CloudNativePG, which is deprecated", fix: "write plugin-barman-cloud" },
  // https://github.com/bitnami/charts/issues/35164
  redis: { found: "Redis of Bitnami's charts, which are free no more", fix: "write valkey, which speaks the same" },
};
