import { problemText } from "../settings/problem.ts";
import { type Guardrail, machinePath, machinesOf } from "./guardrail.ts";

/** Ports that nodes and operators have among themselves. https://docs.k3s.io/installation/requirements#networking */
const PRIVATE: Readonly<Record<string, string>> = {
  "22/tcp": "SSH",
  "2379/tcp": "etcd's clients",
  "2380/tcp": "etcd's members",
  "4240/tcp": "Cilium's health checks",
  "4244/tcp": "Hubble",
  "5001/tcp": "k3s's embedded registry",
  "6443/tcp": "the Kubernetes API",
  "6444/tcp": "k3s's own way to the API",
  "8472/udp": "the pod network (VXLAN)",
  "10248/tcp": "the kubelet's health",
  "10249/tcp": "kube-proxy's metrics",
  "10250/tcp": "the kubelet",
  "10256/tcp": "kube-proxy's health",
  "10257/tcp": "the controller manager",
  "10259/tcp": "the scheduler",
  "51820/udp": "the pod network (WireGuard)",
  "51821/udp": "the pod network (WireGuard)",
  "51871/udp": "the pod network (Cilium's WireGuard)",
};

/** Only what is meant for the world is open to it. */
export const publicPort: Guardrail = {
  id: "public-port",
  reason: "what nodes and operators have among themselves is never open to the world: each such port is a way in",
  severity: "refuse",
  check: (settings) =>
    machinesOf(settings).flatMap((machine) =>
      (machine.publicPorts ?? [])
        .filter((port) => PRIVATE[port] !== undefined)
        .map((port) =>
          problemText(`${machinePath(machine)}.publicPorts`, `${port}, ${PRIVATE[port] ?? ""}`, {
            allowed: "ports of what the machine offers to the world",
            fix:
              settings.mesh.provider === "none"
                ? "remove it; access.from lets in who must reach SSH or the API"
                : "remove it; whoever must reach it joins the mesh, or stands on the site's LAN",
          }),
        ),
    ),
};
