import { isIpv4Address } from "./cidr.ts";

const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const QUALIFIED = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/;

/** The longest DNS label, and the longest name or value of a Kubernetes label. */
export const MAX_LABEL_LENGTH = 63;

/** Whether a name is an RFC 1123 label: at most 63 of a-z, 0-9 and `-`, with a letter or digit at both ends. */
export const isDnsLabel = (name: string): boolean => name.length <= MAX_LABEL_LENGTH && LABEL.test(name);

/** Whether a name is a DNS name of lower-case labels, at most 253 characters. */
export const isDnsName = (name: string): boolean => name.length <= 253 && name.split(".").every(isDnsLabel);

/** Whether a text can be dialled: a DNS name or an IPv4 address, with neither port nor scheme. */
export function isHost(text: string): boolean {
  // A last label of digits only is never a top-level domain: it is an address with a mistake in it.
  return isIpv4Address(text) || (isDnsName(text) && !/(?:^|\.)\d+$/.test(text));
}

/** Whether a text can be the key of a Kubernetes label or taint: `name` or `prefix.example.com/name`. */
export function isLabelKey(key: string): boolean {
  const [first = "", second, ...rest] = key.split("/");
  if (rest.length > 0) return false;
  const name = second ?? first;
  return (second === undefined || isDnsName(first)) && name.length <= MAX_LABEL_LENGTH && QUALIFIED.test(name);
}

/** Whether a text can be the value of a Kubernetes label or taint. An empty one can. */
export const isLabelValue = (value: string): boolean =>
  value === "" || (value.length <= MAX_LABEL_LENGTH && QUALIFIED.test(value));

/** Orders names by code point: the same on every computer, whatever its language. */
export const byName = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
