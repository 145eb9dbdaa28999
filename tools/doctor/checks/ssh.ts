import type { Endpoint, Target } from "../evidence.ts";
import { isWell, type Judgement, type NodeCheck } from "../finding.ts";
import { fingerprint } from "../ssh.ts";

const at = ({ host, port }: Endpoint): string => `${host} port ${port}`;
const endpoint = ({ user, host, port }: Endpoint): string => `${user}@${host}${port === 22 ? "" : `:${port}`}`;

/** How a node is dialled, for people. */
export const dialled = (target: Target): string =>
  endpoint(target) + (target.jump === undefined ? "" : ` through ${endpoint(target.jump)}`);

/** Whether a node is reached over SSH, and is the one that is pinned. */
export const checkSsh: NodeCheck = ({ node: { name }, target, reached }): Judgement | undefined => {
  const finding = (text: string, fix: string): Judgement => ({
    well: "",
    findings: [{ check: "ssh", node: name, text: `${name}: ${text}`, fix }],
  });
  if (target === undefined) return finding("the stack's state has no host of it", "pulumi up, then look again");
  if (reached === undefined) return undefined;
  const where = target.jump === undefined ? at(target) : `${at(target)}, through ${at(target.jump)},`;
  switch (reached.phase) {
    case "ok":
      return isWell(dialled(target));
    case "tcp":
      return finding(
        `${where} does not answer: ${reached.word}`,
        "is it on, is the address right, does a firewall stand between? does this computer have its mesh switched on?",
      );
    case "host key":
      return finding(
        `the host key of ${at(reached.at)} is not the pinned one: found ${reached.found} · allowed ${fingerprint(reached.at.hostKey)}`,
        "if the host was reinstalled, set its new hostKey and raise its generation; if not, find out who answers there",
      );
    case "login":
      return finding(
        `${where} refuses the login as ${target.user}: ${reached.word}`,
        "add the public half of hybrid-k3s:sshPrivateKey to that user's authorized_keys",
      );
    case "probe":
      return finding(
        `it is reached, but could not be looked at: ${reached.word}`,
        "may the login user use sudo without a password, and are bash, timeout and systemd there? then look again",
      );
  }
};
