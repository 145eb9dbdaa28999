/** A port of a machine that the world may connect to. */
export interface PublicPort {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

/** Reads `25565/tcp`; undefined if the text is not a port with its protocol. */
export function parsePublicPort(text: string): PublicPort | undefined {
  const { port = "", protocol } = /^(?<port>[1-9]\d{0,4})\/(?<protocol>tcp|udp)$/.exec(text)?.groups ?? {};
  if (protocol === undefined || Number(port) > 65535) return undefined;
  return { protocol: protocol as PublicPort["protocol"], port: Number(port) };
}

/** The port in the form that settings have it in. */
export const publicPortText = ({ protocol, port }: PublicPort): string => `${port}/${protocol}`;
