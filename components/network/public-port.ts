/** A port that is open to the world, as `25565/tcp` in the settings. */
export interface PublicPort {
  readonly port: number;
  readonly protocol: "tcp" | "udp";
}

/**
 * Reads a port such as `25565/tcp`.
 * @returns undefined if the text is none
 */
export function parsePublicPort(text: string): PublicPort | undefined {
  const match = /^(?<port>[1-9]\d{0,4})\/(?<protocol>tcp|udp)$/.exec(text);
  const { port, protocol } = (match?.groups ?? {}) as { port?: string; protocol?: PublicPort["protocol"] };
  if (port === undefined || protocol === undefined || Number(port) > 65_535) return undefined;
  return { port: Number(port), protocol };
}

/**
 * Ports of the settings in an order that does not depend on how they were written, each once.
 * @throws Error if a text is no port
 */
export function publicPortsOf(texts: readonly string[]): readonly PublicPort[] {
  const ports = [...new Set(texts)].map((text) => {
    const port = parsePublicPort(text);
    if (port === undefined) throw new Error(`publicPorts: found ${text} · allowed such as 25565/tcp or 19132/udp`);
    return port;
  });
  return ports.sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));
}
