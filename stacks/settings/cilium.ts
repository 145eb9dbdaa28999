import { z } from "zod";
import type { CiliumSettings } from "../../components/k3s/cilium-settings.ts";
import { type AddressBlock, addressBlockOf } from "../../components/network/cidr.ts";
import type { Versions } from "../versions.ts";
import { RULES } from "./rules.ts";
import { saying, strict, text } from "../../components/strict-schema.ts";

const block = text(RULES.addressBlock, (value) => addressBlockOf(value) !== undefined);

/** What a region says about Cilium, as a user writes it. */
export const ciliumSchema = strict({
  version: text(RULES.ciliumVersion, (value) => /^\d+\.\d+\.\d+$/.test(value)).optional(),
  kubeProxyReplacement: z.boolean(saying(RULES.switch)).default(true),
  hubble: z.boolean(saying(RULES.switch)).default(false),
  loadBalancerPool: z
    .array(block, saying(RULES.addressBlocks))
    .transform((values): AddressBlock[] => values.flatMap((value) => addressBlockOf(value) ?? []))
    .default([]),
  values: z.record(z.string(), z.unknown(), saying(RULES.values)).default({}),
});

/** Cilium's settings with the version of versions.yaml, where the region states none. */
export const normaliseCilium = (
  { version, ...same }: z.output<typeof ciliumSchema>,
  versions: Pick<Versions, "cilium">,
): CiliumSettings => ({ version: version ?? versions.cilium.version, ...same });
