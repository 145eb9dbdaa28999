import { z } from "zod";
import { isIpv4Address } from "../../components/network/cidr.ts";
import type { MeshClient } from "./evidence.ts";

/** https://github.com/tailscale/tailscale/blob/v1.102.4/ipn/ipnstate/ipnstate.go */
const device = z.object({
  DNSName: z.string().default(""),
  TailscaleIPs: z.array(z.string()).nullish(),
  AllowedIPs: z.array(z.string()).nullish(),
  KeyExpiry: z.string().nullish(),
});
const statusJson = z.object({
  BackendState: z.string().default(""),
  Self: device.nullish(),
  Peer: z.record(z.string(), device).nullish(),
});

type Device = z.infer<typeof device>;

const labelOf = ({ DNSName }: Device): string => DNSName.split(".")[0] ?? "";
const addressOf = ({ TailscaleIPs }: Device): string => TailscaleIPs?.find(isIpv4Address) ?? "";

/** Reads `tailscale status --json`. */
export function clientOfTailscale(status: object): MeshClient | undefined {
  const { success, data } = statusJson.safeParse(status);
  if (!success) return undefined;
  const { BackendState: state, Self: self, Peer: peers } = data;
  const expiry = self?.KeyExpiry;
  return {
    state,
    name: self ? labelOf(self) : "",
    address: self ? addressOf(self) : "",
    ...(expiry ? { expires: new Date(expiry) } : {}),
    approved: self?.AllowedIPs ?? [],
    peers: Object.values(peers ?? {}).map((peer) => ({ name: labelOf(peer), address: addressOf(peer) })),
  };
}
