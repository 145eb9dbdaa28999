import { apiUrl } from "../network/api-url.ts";
import { yamlText } from "../yaml-text.ts";

/** What a kubeconfig is made of. PEM texts. */
export interface KubeconfigParts {
  /** Name of cluster, user and context. */
  readonly region: string;
  /** Host name or address of the API, without scheme and port. */
  readonly endpoint: string;
  readonly serverAuthority: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/**
 * Renders the administrator's kubeconfig.
 * @throws Error if a part is empty: the Kubernetes provider takes an empty kubeconfig for "use the one on this
 * computer", which may be another cluster's
 */
export function renderKubeconfig(parts: KubeconfigParts): string {
  const empty = (Object.entries(parts) as [string, string][]).filter(([, value]) => value.trim() === "");
  if (empty.length > 0) {
    throw new Error(
      `kubeconfig of ${parts.region || "the region"}: found no ${empty.map(([key]) => key).join(", ")} · allowed: all parts present · ` +
        "fix: the stack's state has lost a certificate; restore it from a backup (pulumi stack import)",
    );
  }
  return yamlText({
    apiVersion: "v1",
    kind: "Config",
    "current-context": parts.region,
    clusters: [
      {
        name: parts.region,
        cluster: { server: apiUrl(parts.endpoint), "certificate-authority-data": base64(parts.serverAuthority) },
      },
    ],
    users: [
      {
        name: parts.region,
        user: {
          "client-certificate-data": base64(parts.clientCertificate),
          "client-key-data": base64(parts.clientKey),
        },
      },
    ],
    contexts: [{ name: parts.region, context: { cluster: parts.region, user: parts.region } }],
  });
}
