import { createHash } from "node:crypto";
import type * as pulumi from "@pulumi/pulumi";
import sshpk from "sshpk";

/** The key that this computer logs in to every machine with. */
export interface LoginKey {
  /** Secret. OpenSSH or PEM form, ends with a line break. */
  readonly privateKey: pulumi.Output<string>;
  /** Its public half, in authorized_keys form without a comment: no secret, and plain, for it names resources. */
  readonly publicKey: string;
  /** Eight hexadecimal digits that change with the key. */
  readonly digest: string;
  /** The private key before this one, for hosts that do not know the new one yet. Secret. @default none */
  readonly previous?: pulumi.Output<string>;
}

/** Hexadecimal digits that tell one key from another in a name. */
const DIGEST_LENGTH = 8;

/**
 * The public half of a private key.
 * @param privateKey text in OpenSSH or PEM form
 * @throws Error in words a person can act on, without any of the key's text, if it cannot be read
 */
export function publicHalf(privateKey: string): Pick<LoginKey, "publicKey" | "digest"> {
  try {
    const key = sshpk.parsePrivateKey(privateKey, "auto").toPublic();
    key.comment = "";
    const publicKey = key.toString("ssh").trim();
    const blob = Buffer.from(publicKey.split(" ")[1] ?? "", "base64");
    return { publicKey, digest: createHash("sha256").update(blob).digest("hex").slice(0, DIGEST_LENGTH) };
  } catch (error) {
    // The library's text may quote the key: it stays unsaid.
    const encrypted = error instanceof sshpk.KeyEncryptedError;
    throw new Error(encrypted ? "a private key with a passphrase" : "a private key that cannot be read");
  }
}
