const PLAIN = /^(?<type>[a-z0-9-]+) (?<base64>[A-Za-z0-9+/]+={0,2})(?: .*)?$/;
const TYPES = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];
const ED25519_BYTES = 32;

/** Splits a key in SSH wire format (RFC 4253, section 5) into its length-prefixed fields; undefined if they do not add up. */
function wireFields(blob: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  let offset = 0;
  while (offset < blob.length) {
    if (offset + 4 > blob.length) return undefined;
    const end = offset + 4 + blob.readUInt32BE(offset);
    if (end > blob.length) return undefined;
    fields.push(blob.subarray(offset + 4, end));
    offset = end;
  }
  return fields;
}

/**
 * Reads an SSH public host key in authorized_keys form.
 * @returns `<type> <base64>` without the comment, or undefined if the text is not a whole key of a known type
 */
export function parseHostKey(text: string): string | undefined {
  const { type = "", base64 = "" } = PLAIN.exec(text.trim())?.groups ?? {};
  if (!TYPES.includes(type)) return undefined;
  const blob = Buffer.from(base64, "base64");
  if (blob.toString("base64") !== base64) return undefined;
  const fields = wireFields(blob);
  if (fields?.[0]?.toString("latin1") !== type || fields.length < 2) return undefined;
  if (type === "ssh-ed25519" && (fields.length !== 2 || fields[1]?.length !== ED25519_BYTES)) return undefined;
  return `${type} ${base64}`;
}
