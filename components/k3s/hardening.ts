import type { KubernetesSettings } from "./kubernetes-settings.ts";
import { yamlText } from "../yaml-text.ts";

/** Files on a server that the hardening set consists of; empty text means: no such file. */
export interface HardeningFiles {
  /** `/etc/rancher/k3s/audit-policy.yaml` */
  readonly auditPolicy: string;
  /** `/etc/rancher/k3s/admission.yaml` */
  readonly admission: string;
  /** `/etc/sysctl.d/90-hybrid-k3s.conf` */
  readonly sysctl: string;
}

/** Kernel settings that a kubelet with `protect-kernel-defaults` expects: https://docs.k3s.io/security/hardening-guide */
const SYSCTL = `vm.panic_on_oom=0
vm.overcommit_memory=1
kernel.panic=10
kernel.panic_on_oops=1
`;

const CIPHERS = [
  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
  "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
].join(",");

const admission = (hardening: KubernetesSettings["hardening"]): string => {
  const level = hardening.podSecurity;
  return yamlText({
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "AdmissionConfiguration",
    plugins: [
      {
        name: "PodSecurity",
        configuration: {
          apiVersion: "pod-security.admission.config.k8s.io/v1",
          kind: "PodSecurityConfiguration",
          defaults: Object.fromEntries(
            ["enforce", "audit", "warn"].flatMap((mode) => [
              [mode, level],
              [`${mode}-version`, "latest"],
            ]),
          ),
          exemptions: {
            usernames: [],
            runtimeClasses: [],
            namespaces: ["kube-system", ...hardening.exemptNamespaces].sort(),
          },
        },
      },
      {
        name: "EventRateLimit",
        configuration: {
          apiVersion: "eventratelimit.admission.k8s.io/v1alpha1",
          kind: "Configuration",
          limits: [{ type: "Server", qps: 5000, burst: 20_000 }],
        },
      },
    ],
  });
};

/** The files of k3s's hardening guide, or empty ones when it is switched off. */
export function hardeningFiles(hardening: KubernetesSettings["hardening"], role: "server" | "agent"): HardeningFiles {
  if (!hardening.enabled) return { auditPolicy: "", admission: "", sysctl: "" };
  if (role === "agent") return { auditPolicy: "", admission: "", sysctl: SYSCTL };
  return {
    auditPolicy: yamlText({ apiVersion: "audit.k8s.io/v1", kind: "Policy", rules: [{ level: "Metadata" }] }),
    admission: admission(hardening),
    sysctl: SYSCTL,
  };
}

/** Kubelet arguments of the hardening guide. */
export const HARDENED_KUBELET: readonly string[] = [
  "streaming-connection-idle-timeout=5m",
  `tls-cipher-suites=${CIPHERS}`,
];

/** Server configuration of the hardening guide, on top of the files above. */
export const HARDENED_SERVER: Readonly<Record<string, unknown>> = {
  "secrets-encryption": true,
  "kube-apiserver-arg": [
    "enable-admission-plugins=NodeRestriction,EventRateLimit",
    "admission-control-config-file=/etc/rancher/k3s/admission.yaml",
    "audit-log-path=/var/lib/rancher/k3s/server/logs/audit.log",
    "audit-policy-file=/etc/rancher/k3s/audit-policy.yaml",
    "audit-log-maxage=30",
    "audit-log-maxbackup=10",
    "audit-log-maxsize=100",
    "service-account-extend-token-expiration=false",
  ],
  "kube-controller-manager-arg": ["terminated-pod-gc-threshold=100"],
};
