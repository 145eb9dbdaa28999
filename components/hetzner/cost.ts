import type { MonthlyCost } from "../costs.ts";
import { serverTypeOf } from "./catalog.ts";

/** A volume, euros a GiB and month without VAT. https://www.hetzner.com/cloud (an estimate as the catalogue's prices) */
const VOLUME_EUR = 0.044;
/** A public IPv4 address, euros a month without VAT. https://docs.hetzner.com/cloud/servers/primary-ips/overview */
const IPV4_EUR = 0.5;

/** A machine's monthly price by the catalogue, an estimate. Not in it: traffic above what the type includes. */
export const monthlyCost = (machine: {
  readonly type: string;
  readonly publicIpv4: boolean;
  readonly volumeGiB?: number;
}): MonthlyCost => ({
  amount:
    (serverTypeOf(machine.type)?.monthlyEur ?? 0) +
    (machine.publicIpv4 ? IPV4_EUR : 0) +
    (machine.volumeGiB ?? 0) * VOLUME_EUR,
  currency: "EUR",
});
