import { canonicalCidr, canonicalCidr6, isCidr, isIpv4Address } from "../network/cidr.ts";
import { byName } from "../network/names.ts";

/** Ranges by family, each sorted and without the bits behind the prefix. */
export interface Ranges {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

function canonical(text: string): string {
  if (isIpv4Address(text)) return `${text}/32`;
  if (isCidr(text)) return canonicalCidr(text);
  const six = canonicalCidr6(text.includes("/") ? text : `${text}/128`);
  if (six === undefined)
    throw new Error(`found ${JSON.stringify(text)} · allowed an address or a range such as 10.20.0.0/24`);
  return six;
}

/**
 * Reads addresses and ranges of both families.
 * @throws Error if one is neither
 */
export function rangesOf(texts: readonly string[]): Ranges {
  const all = [...new Set(texts.map(canonical))].sort(byName);
  return { ipv4: all.filter((range) => !range.includes(":")), ipv6: all.filter((range) => range.includes(":")) };
}
