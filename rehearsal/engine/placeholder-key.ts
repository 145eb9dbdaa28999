import { createHash, createPrivateKey } from "node:crypto";

/** What stands before the 32 bytes of an Ed25519 private key in PKCS #8. https://www.rfc-editor.org/rfc/rfc8410#section-7 */
const ED25519_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * A real private key that follows from a word, so that a rehearsal shows the same names each time. It opens nothing:
 * no host but a simulated one takes it.
 */
export function placeholderKey(word: string): string {
  const seed = createHash("sha256").update(`hybrid-k3s placeholder ${word}`).digest();
  const key = createPrivateKey({ key: Buffer.concat([ED25519_PREFIX, seed]), format: "der", type: "pkcs8" });
  return key.export({ format: "pem", type: "pkcs8" }).toString();
}
