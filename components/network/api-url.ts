/**
 * Address of the Kubernetes API.
 * @param host DNS name, IPv4 or IPv6 address; the last needs brackets in front of a port
 */
export const apiUrl = (host: string): string => `https://${host.includes(":") ? `[${host}]` : host}:6443`;
