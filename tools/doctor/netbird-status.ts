import { z } from "zod";
import type { MeshClient, MeshPath } from "./evidence.ts";

/** https://github.com/netbirdio/netbird/blob/v0.77.1/client/status/status.go */
const peer = z.object({
  fqdn: z.string(),
  netbirdIp: z.string().default(""),
  status: z.string().default(""),
  connectionType: z.string().default(""),
  relayAddress: z.string().default(""),
});
const statusJson = z.object({
  daemonStatus: z.string().default(""),
  fqdn: z.string().default(""),
  netbirdIp: z.string().default(""),
  sessionExpiresAt: z.string().nullish(),
  peers: z.object({ details: z.array(peer).nullish() }).nullish(),
});

const labelOf = (fqdn: string): string => fqdn.split(".")[0] ?? "";
const addressOf = (address: string): string => address.split("/")[0] ?? "";

/** Reads `netbird status --json`. */
export function clientOfNetbird(status: object): MeshClient | undefined {
  const { success, data } = statusJson.safeParse(status);
  if (!success) return undefined;
  const { sessionExpiresAt: expiry } = data;
  return {
    state: data.daemonStatus,
    name: labelOf(data.fqdn),
    address: addressOf(data.netbirdIp),
    ...(expiry ? { expires: new Date(expiry) } : {}),
    approved: [],
    peers: (data.peers?.details ?? []).map(({ fqdn, netbirdIp }) => ({
      name: labelOf(fqdn),
      address: addressOf(netbirdIp),
    })),
  };
}

/** How NetBird's packets get to each peer, by its name. One that it is not connected to may be idle: the client dials late. */
export function netbirdPaths(status: unknown): Readonly<Record<string, MeshPath>> {
  const { success, data } = statusJson.safeParse(status);
  const details = success ? (data.peers?.details ?? []) : [];
  return Object.fromEntries(
    details.map(({ fqdn, status: state, connectionType, relayAddress }): [string, MeshPath] => {
      if (state === "Connected") {
        const relayed = connectionType === "Relayed";
        const through = relayed && relayAddress !== "" ? { through: relayAddress } : {};
        return [labelOf(fqdn), { kind: relayed ? "relayed" : "direct", ...through }];
      }
      return [labelOf(fqdn), { kind: state === "Idle" ? "idle" : "none" }];
    }),
  );
}
