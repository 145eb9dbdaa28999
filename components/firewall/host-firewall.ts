import type * as pulumi from "@pulumi/pulumi";
import { scriptFile } from "../host/script-file.ts";
import { stationScript } from "../host/station-script.ts";
import type { MachineSpec, SshTarget } from "../machine.ts";

const firewallScript = scriptFile(new URL("./scripts/host-firewall.sh", import.meta.url));

/** How long a change lasts that nobody confirms. Seconds. */
const ROLLBACK_SECONDS = 60;
/** How long one run may take: package lists and nftables on a slow disk among it. Seconds. */
const FIREWALL_SECONDS = 900;
/** How long a host that is given back may take to answer, before it is left as it is. Seconds. */
const REMOVE_CONNECT_SECONDS = 45;

/** Arguments of {@link hostFirewall}. */
export interface HostFirewallArgs {
  readonly spec: MachineSpec;
  /** nftables text, rendered by `hostFirewallRules`. */
  readonly rules: pulumi.Input<string>;
  readonly ssh: SshTarget;
  /** The key that logs in, and the one before it. */
  readonly login: { readonly privateKey: pulumi.Input<string>; readonly previous?: pulumi.Input<string> };
  /** A changed trigger applies the rules anew: the id of the host. */
  readonly triggers: readonly pulumi.Input<string>[];
  /** Seconds that the host may take to answer on SSH. */
  readonly connectSeconds: number;
}

/**
 * The firewall of one host. A change is applied over one connection and confirmed over another; the host takes back by
 * itself what is not confirmed within a minute, and the step fails. Nothing is touched where the rules stand already.
 */
export function hostFirewall(
  name: string,
  args: HostFirewallArgs,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const { spec, ssh, login } = args;
  const point = {
    parameters: { NODE_NAME: spec.name, ROLLBACK_SECONDS: String(ROLLBACK_SECONDS), RULES: args.rules },
    contacts: [{ name: spec.name, ...ssh }],
    connectSeconds: args.connectSeconds,
  };
  const apply = { ...point, action: "apply", confirmAction: "confirm" };
  return stationScript(
    name,
    {
      script: firewallScript,
      privateKey: login.privateKey,
      ...(login.previous === undefined ? {} : { previousKey: login.previous }),
      create: apply,
      update: apply,
      delete: { ...point, action: "remove", connectSeconds: REMOVE_CONNECT_SECONDS, unreachable: "leave" },
      triggers: args.triggers,
      // Other work on the host must not hold the confirmation up until its minute is over.
      lock: "hybrid-k3s-firewall",
      limitSeconds: FIREWALL_SECONDS,
    },
    options,
  );
}
