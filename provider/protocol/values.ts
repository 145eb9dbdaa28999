import type { Value, Values } from "./wire.ts";

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
/** A list of texts; empty where there is none. */
export const textsOf = (value: Value | undefined): readonly string[] => listOf(value).map(textOf);
