export { listOf, numberOf, objectOf, textOf } from "../../provider/protocol/values.ts";

/** The host key that a machine's user data puts in place. */
export const hostKeyIn = (userData: string): string => /ssh-ed25519 [A-Za-z0-9+/=]+/.exec(userData)?.[0] ?? "";
