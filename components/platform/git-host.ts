/** Hosts whose keys Argo CD's chart brings. https://github.com/argoproj/argo-helm/blob/argo-cd-10.1.1/charts/argo-cd/values.yaml */
const KNOWN = new Set([
  "bitbucket.org",
  "github.com",
  "gitlab.com",
  "ssh.dev.azure.com",
  "[ssh.github.com]:443",
  "vs-ssh.visualstudio.com",
]);

/** Whether a Git repository is reached over SSH. */
export const isSshRepository = (address: string): boolean => !address.startsWith("https://");

/** The host of a Git repository over SSH as known_hosts names it: with brackets where its port is not 22. Undefined over https. */
export function gitHost(address: string): string | undefined {
  if (!isSshRepository(address)) return undefined;
  const [, host, port] =
    /^ssh:\/\/git@([\w.-]+)(?::(\d+))?\//.exec(address) ?? /^git@([\w.-]+)[:/]/.exec(address) ?? [];
  return port === undefined || port === "22" ? host : `[${host}]:${port}`;
}

/** Whether a host's key is known, from the chart or from lines of known_hosts. */
export const knowsHost = (host: string, lines: readonly string[]): boolean =>
  KNOWN.has(host) || lines.some((line) => line.split(" ")[0] === host);
