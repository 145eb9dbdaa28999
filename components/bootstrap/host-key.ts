import type * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

/** A machine's SSH host key, known before the machine is. */
export interface HostKey {
  /** Secret, in OpenSSH form. */
  readonly privateKey: pulumi.Output<string>;
  /** In authorized_keys form, without a comment. */
  readonly publicKey: pulumi.Output<string>;
}

/** Makes the host key of a machine. It stays through generations: who pinned it need not learn another. */
export function hostKey(machine: string, options: pulumi.CustomResourceOptions): HostKey {
  const key = new tls.PrivateKey(`${machine}-host-key`, { algorithm: "ED25519" }, options);
  return {
    privateKey: key.privateKeyOpenssh,
    publicKey: key.publicKeyOpenssh.apply((text) => text.trim().split(/\s+/).slice(0, 2).join(" ")),
  };
}
