import { sameName } from "../../../provider/resources/context.ts";
import { judged, type NodeCheck } from "../finding.ts";

const DAY_MS = 86_400_000;

const SWITCH_OFF =
  "switch key expiry off for this device (Tailscale: Machines, Disable key expiry; headscale nodes expire --disable; NetBird: the peer's session expiration): what joins by a key of the region's tag has none";

/** Whether a node stays in the mesh without anybody logging it in again. */
export const checkKey: NodeCheck = ({ node: { name }, facts }, { expectations, devices, now }) => {
  const list = devices === undefined || "notLookedAt" in devices ? [] : devices.list;
  const device = list.find((one) => sameName(one.name, name));
  const client = facts?.client;
  if (expectations.mesh === undefined || (client === undefined && device === undefined)) return undefined;
  const expires = client?.expires ?? device?.expires;
  if (expires === undefined) {
    if (device?.logsInAgain !== true) return judged([], "key without an end");
    const text = `${name}: it has to log in to the mesh again some day, and falls out of it then`;
    return judged([{ check: "key", node: name, text, fix: SWITCH_OFF }], "");
  }
  const days = Math.floor((expires.getTime() - now.getTime()) / DAY_MS);
  const date = expires.toISOString().slice(0, 10);
  const text =
    days < 0
      ? `${name}: its key in the mesh has expired on ${date}`
      : `${name}: its key in the mesh expires in ${days} ${days === 1 ? "day" : "days"}, on ${date}, and it falls out of the mesh then`;
  const fix =
    days < 0 ? `raise the generation of ${name} and pulumi up: it joins anew, with a key without an end` : SWITCH_OFF;
  return judged([{ check: "key", node: name, text, fix }], "");
};
