import * as pulumi from "@pulumi/pulumi";
import { scriptFile } from "../host/script-file.ts";
import { stationScript } from "../host/station-script.ts";
import { JOIN_SECONDS } from "../mesh/first-boot.ts";
import type { MachineSpec, SshTarget } from "../machine.ts";
import type { LoginKey } from "./login-key.ts";
import { SSHD_CONFIG, SSHD_CONFIG_PATH } from "./sshd-config.ts";
import { BOOTSTRAP_MARKER } from "./user-data.ts";

const baselineScript = scriptFile(new URL("./scripts/host-baseline.sh", import.meta.url));

/** How long a first boot's own script may take after sshd answers: where somebody is let in, that is before it joins. Seconds. */
const BOOTSTRAP_SECONDS = JOIN_SECONDS + 300;
/** How long all of it may take: package lists and a package on a slow disk among it. Seconds. */
const BASELINE_SECONDS = BOOTSTRAP_SECONDS + 900;

/** Where k3s keeps the volumes of its local storage: what a data disk is for. https://docs.k3s.io/add-ons/storage */
export const DATA_PATH = "/var/lib/rancher/k3s/storage";

/** Arguments of {@link hostBaseline}. */
export interface HostBaselineArgs {
  readonly spec: MachineSpec;
  readonly region: string;
  readonly ssh: SshTarget;
  readonly login: LoginKey;
  /** Seconds that the machine may take to boot and to answer on SSH. */
  readonly connectSeconds: number;
  /** Whether the machine's first boot runs our user data, which is then waited for. */
  readonly bootstrapped: boolean;
  /** Device names under which the data disk may be found, in order of preference. @default no data disk */
  readonly dataDisk?: readonly pulumi.Input<string>[];
  /** Its size: a larger one lets the file system grow. GiB. @default it does not grow in place */
  readonly dataGiB?: number;
}

/**
 * The first contact with a machine that hybrid-k3s made, and what it is held to ever after: who logs in, sshd's rules,
 * security updates, the clock, pods cut off from the cloud's metadata, the data disk.
 *
 * A new login key reaches the machine here, by the one before it where the settings still hold that one.
 */
export function hostBaseline(
  name: string,
  args: HostBaselineArgs,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const { spec, ssh, login } = args;
  const point = {
    action: "prepare",
    parameters: {
      NODE_NAME: spec.name,
      REGION: args.region,
      GENERATION: String(spec.generation),
      LOGIN_USER: ssh.user,
      AUTHORIZED_KEY: login.publicKey,
      SSHD_CONFIG,
      SSHD_CONFIG_PATH,
      BOOTSTRAP_MARKER: args.bootstrapped ? BOOTSTRAP_MARKER : "",
      WAIT_SECONDS: String(BOOTSTRAP_SECONDS),
      DATA_DISK: pulumi.all([...(args.dataDisk ?? [])]).apply((names) => names.join(" ")),
      DATA_GIB: String(args.dataGiB ?? ""),
      DATA_PATH: args.dataDisk === undefined ? "" : DATA_PATH,
    },
    contacts: [{ name: spec.name, ...ssh }],
    connectSeconds: args.connectSeconds,
  };
  return stationScript(
    name,
    {
      script: baselineScript,
      privateKey: login.privateKey,
      ...(login.previous === undefined ? {} : { previousKey: login.previous }),
      create: { ...point, booting: true },
      update: point,
      limitSeconds: BASELINE_SECONDS,
    },
    options,
  );
}
