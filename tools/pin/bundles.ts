import { z } from "zod";
import type { Pinned } from "./pin.ts";

/** What the AWS CLI is asked. A bundle costs the same in most regions; those that differ end its id in another number. */
export const ASK_FOR_BUNDLES = ["lightsail", "get-bundles", "--region", "us-east-1", "--output", "json"] as const;

/** How a call of the AWS CLI ended. */
export interface AwsAnswer {
  /** Whether the program is on this computer. */
  readonly found: boolean;
  /** Exit code; undefined where it did not end by itself. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const recordedBundle = z.strictObject({
  cpus: z.number().int().positive(),
  memoryGiB: z.number().positive(),
  diskGiB: z.number().int().positive(),
  baselinePercent: z.number().min(1).max(100),
  monthlyUsd: z.number().positive(),
});
const recorded = z.strictObject({
  source: z.string(),
  date: z.iso.date(),
  bundles: z.record(z.string(), recordedBundle),
});
type Recorded = z.infer<typeof recorded>;

// https://docs.aws.amazon.com/lightsail/2016-11-28/api-reference/API_Bundle.html
const answered = z.object({
  bundles: z
    .array(
      z.object({
        bundleId: z.string().regex(/^[a-z0-9_]+$/),
        price: z.number().positive(),
        cpuCount: z.number().int().positive(),
        ramSizeInGb: z.number().positive(),
        diskSizeInGb: z.number().int().positive(),
        isActive: z.boolean(),
        supportedPlatforms: z.array(z.string()),
        publicIpv4AddressCount: z.number().int().min(0).optional(),
      }),
    )
    .min(1),
});
type Offered = z.infer<typeof answered>["bundles"][number];

const SOURCE =
  "aws lightsail get-bundles (price, memory, storage), https://docs.aws.amazon.com/lightsail/latest/userguide/baseline-cpu-performance.html (baseline)";

/** The file's text: one line a bundle, so that a changed price is a changed line. */
function render({ source, date, bundles }: Recorded): string {
  const lines = Object.entries(bundles).map(([id, bundle]) => {
    const values = Object.entries(bundle).map(([name, value]) => `${JSON.stringify(name)}: ${value}`);
    return `    ${JSON.stringify(id)}: { ${values.join(", ")} }`;
  });
  return `{\n  "source": ${JSON.stringify(source)},\n  "date": ${JSON.stringify(date)},\n  "bundles": {\n${lines.join(",\n")}\n  }\n}\n`;
}

/** What a machine of ours may be made of: Linux, with an IPv4 address. */
const isForUs = ({ isActive, supportedPlatforms, publicIpv4AddressCount }: Offered): boolean =>
  isActive && supportedPlatforms.includes("LINUX_UNIX") && (publicIpv4AddressCount ?? 1) > 0;

function parsed<T>(schema: z.ZodType<T>, text: string, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${what} is not JSON · nothing was recorded`);
  }
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new Error(`${what}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unknown"} · nothing was recorded`);
}

/**
 * Brings the recorded bundles up to what the cloud offers. A bundle's CPU baseline is in no answer of the API: it stays
 * as it is recorded, and a bundle that has none yet is named and not recorded.
 * @param text the text of components/lightsail/bundles.json
 * @param answer what the AWS CLI printed
 * @param date of today, such as `2026-11-25`
 * @throws Error if either is not what is known of it; the text is then not changed
 */
export function refreshBundles(text: string, answer: string, date: string): Pinned {
  const before = parsed(recorded, text, "components/lightsail/bundles.json");
  const offered = parsed(answered, answer, "the answer of aws lightsail get-bundles").bundles.filter(isForUs);
  if (offered.length === 0) throw new Error("aws lightsail get-bundles offers no Linux bundle · nothing was recorded");
  const lines: string[] = [];
  const bundles = Object.entries(before.bundles).map(([id, bundle]): [string, typeof bundle] => {
    const found = offered.find(({ bundleId }) => bundleId === id);
    if (found === undefined) {
      lines.push(`${id}: not offered any more; it stays as it was recorded`);
      return [id, bundle];
    }
    const { cpuCount: cpus, ramSizeInGb: memoryGiB, diskSizeInGb: diskGiB, price: monthlyUsd } = found;
    // A machine of another number of CPUs has another baseline, which only a person can look up.
    if (cpus !== bundle.cpus) {
      throw new Error(
        `${id}: found ${cpus} CPUs · recorded ${bundle.cpus}, with their baseline · nothing was recorded`,
      );
    }
    if (monthlyUsd !== bundle.monthlyUsd) lines.push(`${id}: $${bundle.monthlyUsd} became $${monthlyUsd} a month`);
    return [id, { cpus, memoryGiB, diskGiB, baselinePercent: bundle.baselinePercent, monthlyUsd }];
  });
  for (const { bundleId } of offered) {
    if (bundleId in before.bundles) continue;
    lines.push(`${bundleId}: is offered and not recorded · fix: add it by hand, with its CPU baseline`);
  }
  lines.push(`Lightsail: ${bundles.length} bundles recorded`);
  return { text: render({ source: SOURCE, date, bundles: Object.fromEntries(bundles) }), lines };
}

/** Why a call of the AWS CLI has no answer, in words, with what to do; undefined where it has one. */
export function whyNoAnswer({ found, code, stderr }: AwsAnswer): string | undefined {
  // A version manager puts a program in place that finds none behind it.
  if (!found || code === 127)
    return "the AWS CLI is not on this computer · fix: install it, if you have machines on Lightsail";
  if (code === 0) return undefined;
  if (/Unable to locate credentials|ExpiredToken|expired|sso login|aws login|NoCredentials/i.test(stderr)) {
    return "the AWS CLI is not logged in · fix: aws login, or aws configure, then run again";
  }
  const word = stderr
    .split("\n")
    .map((line) => line.trim())
    .find((line) => line !== "");
  return `the AWS CLI failed: ${word?.slice(0, 200) ?? `exit code ${code ?? "none"}`} · fix: may this login read Lightsail?`;
}
