import type { MonthlyCost } from "../costs.ts";
import { bundleOf } from "./catalog.ts";

/** Block storage, US dollars a GiB and month. https://aws.amazon.com/lightsail/pricing/ (2026-11-25) */
const DISK_USD = 0.1;

/**
 * A machine's monthly price by the catalogue. Not in it: snapshots ($0.05 a GiB that they hold) and traffic above the
 * bundle's allowance.
 */
export const monthlyCost = (machine: { readonly bundle: string; readonly diskGiB?: number }): MonthlyCost => ({
  amount: (bundleOf(machine.bundle)?.monthlyUsd ?? 0) + (machine.diskGiB ?? 0) * DISK_USD,
  currency: "USD",
});
