import { containersOf, listUnder, type PodTemplate, type Tree, under } from "./pods.ts";

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline */
const BASELINE_CAPABILITIES = new Set(
  "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split(
    " ",
  ),
);

const capabilities = (container: Tree, which: "add" | "drop"): string[] => {
  const list = under(container, "securityContext", "capabilities")[which];
  return Array.isArray(list) ? list.map(String) : [];
};

function baseline(pod: PodTemplate): string[] {
  const { spec } = pod;
  const host = ["hostNetwork", "hostPID", "hostIPC"].filter((key) => spec[key] === true);
  const paths = listUnder(spec, "volumes")
    .filter((volume) => "hostPath" in volume)
    .map((volume) => `hostPath volume ${String(volume["name"])}`);
  const containers = containersOf(pod).flatMap((container) => {
    const name = String(container["name"]);
    const ports = listUnder(container, "ports").filter((port) => Number(port["hostPort"] ?? 0) > 0);
    return [
      ...(under(container, "securityContext")["privileged"] === true ? [`${name} is privileged`] : []),
      ...ports.map((port) => `${name} takes host port ${String(port["hostPort"])}`),
      ...capabilities(container, "add")
        .filter((one) => !BASELINE_CAPABILITIES.has(one))
        .map((one) => `${name} adds ${one}`),
    ];
  });
  return [...host, ...paths, ...containers];
}

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
function restricted(pod: PodTemplate): string[] {
  const own = under(pod.spec, "securityContext");
  return containersOf(pod).flatMap((container) => {
    const name = String(container["name"]);
    const context = under(container, "securityContext");
    const seccomp = under(context, "seccompProfile")["type"] ?? under(own, "seccompProfile")["type"];
    return [
      ...((context["runAsNonRoot"] ?? own["runAsNonRoot"]) === true ? [] : [`${name} may run as root`]),
      ...(context["allowPrivilegeEscalation"] === false ? [] : [`${name} may gain privileges`]),
      ...(capabilities(container, "drop").includes("ALL") ? [] : [`${name} keeps capabilities`]),
      ...capabilities(container, "add")
        .filter((one) => one !== "NET_BIND_SERVICE")
        .map((one) => `${name} adds ${one}`),
      ...(seccomp === "RuntimeDefault" || seccomp === "Localhost" ? [] : [`${name} has no seccomp profile`]),
    ];
  });
}

/** What keeps a pod out of a namespace of a pod security level, in words. */
export function againstLevel(pod: PodTemplate, level: "restricted" | "baseline" | "privileged" | "existing"): string[] {
  if (level === "privileged" || level === "existing") return [];
  return [...baseline(pod), ...(level === "restricted" ? restricted(pod) : [])];
}
