const SECONDS = { s: 1, m: 60, h: 3600 } as const;

/**
 * Reads a duration: a whole number with `s`, `m` or `h`, such as `90s`, `5m` or `1h30m`, largest unit first.
 * @returns seconds, or undefined if the text is not a duration or is none at all (`0s`)
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(?:(?<h>\d{1,4})h)?(?:(?<m>\d{1,6})m)?(?:(?<s>\d{1,8})s)?$/.exec(text);
  if (match === null) return undefined;
  const { h, m, s } = match.groups as Partial<Record<keyof typeof SECONDS, string>>;
  const seconds = Number(h ?? 0) * SECONDS.h + Number(m ?? 0) * SECONDS.m + Number(s ?? 0) * SECONDS.s;
  return seconds > 0 ? seconds : undefined;
}

const GIB = { GiB: 1, TiB: 1024 } as const;

/**
 * Reads a size: a whole number with `GiB` or `TiB`, such as `64GiB`.
 * @returns GiB, or undefined if the text is not a size or is none at all (`0GiB`)
 */
export function parseSize(text: string): number | undefined {
  const match = /^(?<count>[1-9]\d{0,5})(?<unit>GiB|TiB)$/.exec(text);
  const { count, unit } = (match?.groups ?? {}) as { count?: string; unit?: keyof typeof GIB };
  return count === undefined || unit === undefined ? undefined : Number(count) * GIB[unit];
}
