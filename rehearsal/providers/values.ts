import type { Value, Values } from "../../provider/protocol/wire.ts";

/** A text input; empty where there is none. */
export const textOf = (value: Value | undefined): string => (typeof value === "string" ? value : "");
/** A number input; 0 where there is none. Ids arrive as texts or numbers. */
export const numberOf = (value: Value | undefined): number => Number(value ?? 0);
/** An object input; empty where there is none. */
export const objectOf = (value: Value | undefined): Values =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Values) : {};
/** A list input; empty where there is none. */
export const listOf = (value: Value | undefined): readonly Value[] =>
  Array.isArray(value) ? (value as readonly Value[]) : [];
/** The host key that a machine's user data puts in place. */
export const hostKeyIn = (userData: string): string => /ssh-ed25519 [A-Za-z0-9+/=]+/.exec(userData)?.[0] ?? "";
