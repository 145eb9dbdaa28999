import { Address4, Address6 } from "ip-address";

const DOTTED_QUAD = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** Whether a text is an IPv4 address: four numbers without leading zeros. */
export const isIpv4Address = (text: string): boolean => DOTTED_QUAD.test(text);

/** Whether a text is an IPv4 range such as `10.20.0.0/24`. Bits behind the prefix may be set: see `canonicalCidr`. */
export function isCidr(text: string): boolean {
  const [address, prefix, ...rest] = text.split("/");
  return (
    rest.length === 0 &&
    prefix !== undefined &&
    /^(?:0|[1-9]\d?)$/.test(prefix) &&
    Number(prefix) <= 32 &&
    isIpv4Address(address ?? "")
  );
}

function range(cidr: string): Address4 {
  if (!isCidr(cidr)) throw new Error(`${JSON.stringify(cidr)} is not an IPv4 range such as 10.20.0.0/24`);
  return new Address4(cidr);
}

/**
 * The range with the bits behind the prefix cleared: `10.20.0.7/24` becomes `10.20.0.0/24`.
 * @throws Error if the text is not a range
 */
export function canonicalCidr(cidr: string): string {
  const parsed = range(cidr);
  return `${parsed.startAddress().correctForm()}/${parsed.subnetMask}`;
}

/**
 * The prefix length of a range, 0 to 32.
 * @throws Error if the text is not a range
 */
export const cidrPrefix = (cidr: string): number => range(cidr).subnetMask;

/**
 * Whether two ranges share an address.
 * @throws Error if one of them is not a range
 */
export function cidrsOverlap(one: string, other: string): boolean {
  const [a, b] = [range(one), range(other)];
  return a.startAddress().bigInt() <= b.endAddress().bigInt() && b.startAddress().bigInt() <= a.endAddress().bigInt();
}

/**
 * Whether one range holds the whole of another; texts that are no IPv4 ranges hold and are held by nothing but themselves.
 */
export function cidrContains(whole: string, part: string): boolean {
  if (!isCidr(whole) || !isCidr(part)) return whole === part;
  return cidrPrefix(whole) <= cidrPrefix(part) && cidrsOverlap(whole, part);
}

const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/**
 * Whether a range lies within one of the private ones (RFC 1918).
 * @throws Error if it is not a range
 */
export const isPrivateRange = (cidr: string): boolean =>
  PRIVATE.some((whole) => cidrsOverlap(whole, cidr) && cidrPrefix(cidr) >= cidrPrefix(whole));

/**
 * Whether a host can have this address in the range: neither the network's own nor its broadcast address.
 * @throws Error if the range or the address is not one
 */
export function cidrHoldsHost(cidr: string, address: string): boolean {
  const [lan, host] = [range(cidr), range(`${address}/32`).bigInt()];
  return lan.startAddress().bigInt() < host && host < lan.endAddress().bigInt();
}

/**
 * How many nodes a pod range holds when Kubernetes gives each a range of its own.
 * @param pods the cluster's pod range
 * @param nodePrefix prefix length of one node's range. k3s leaves Kubernetes's own default: 24
 */
export const nodeCapacity = (pods: string, nodePrefix = 24): number =>
  cidrPrefix(pods) > nodePrefix ? 0 : 2 ** (nodePrefix - cidrPrefix(pods));

/** The highest number of a region. Ranges derived up to it stay below 10.192.0.0: the rest of 10.0.0.0/8 is free for LANs and stated ranges. */
export const MAX_REGION_ID = 63;

/**
 * The ranges that follow from a region's number: pods `10.(64+2n).0.0/16`, services `10.(65+2n).0.0/16`.
 * @throws RangeError if the number is not a whole one from 0 to 63
 */
export function derivedRanges(id: number): { readonly pods: string; readonly services: string } {
  if (!Number.isInteger(id) || id < 0 || id > MAX_REGION_ID) {
    throw new RangeError(`region number ${id} is not a whole number from 0 to ${MAX_REGION_ID}`);
  }
  return { pods: `10.${64 + 2 * id}.0.0/16`, services: `10.${65 + 2 * id}.0.0/16` };
}

/** An IPv6 range such as `2001:db8::/64` with the bits behind the prefix cleared; undefined if the text is none. */
export function canonicalCidr6(text: string): string | undefined {
  if (!/^[0-9a-f:]+\/(?:0|[1-9]\d{0,2})$/.test(text) || !Address6.isValid(text)) return undefined;
  const parsed = new Address6(text);
  return `${parsed.startAddress().correctForm()}/${parsed.subnetMask}`;
}

/** Addresses from one to another, both included. */
export interface AddressBlock {
  readonly start: string;
  readonly stop: string;
}

const number = (address: string): bigint => range(`${address}/32`).bigInt();

/** Reads `10.20.0.200-10.20.0.220`, or a range in canonical form such as `10.20.0.224/28`; undefined if the text is neither. */
export function addressBlockOf(text: string): AddressBlock | undefined {
  if (isCidr(text)) {
    const parsed = range(text);
    if (canonicalCidr(text) !== text) return undefined;
    return { start: parsed.startAddress().correctForm(), stop: parsed.endAddress().correctForm() };
  }
  const [start = "", stop = "", ...rest] = text.split("-");
  if (rest.length > 0 || !isIpv4Address(start) || !isIpv4Address(stop) || number(start) > number(stop))
    return undefined;
  return { start, stop };
}

/** Whether a block holds an address. */
export const blockHolds = ({ start, stop }: AddressBlock, address: string): boolean =>
  number(start) <= number(address) && number(address) <= number(stop);

/**
 * Whether a block lies within a range, and leaves the range's own and its broadcast address alone.
 * @throws Error if the range is not one
 */
export const blockWithin = ({ start, stop }: AddressBlock, cidr: string): boolean =>
  cidrHoldsHost(cidr, start) && cidrHoldsHost(cidr, stop);
