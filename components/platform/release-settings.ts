import { z } from "zod";
import { isDnsLabel, isHost } from "../network/names.ts";
import { parseDuration, parseSize } from "../network/units.ts";
import { secret } from "../secret-schema.ts";
import { COMMON_RULES, type Rule, saying, strict, text, wholeNumber } from "../strict-schema.ts";

/** What each kind of value of a release may be. */
export const PLATFORM_RULES = {
  ...COMMON_RULES,
  values: { allowed: "an object of Helm values", fix: "write it as the content of a values.yaml" },
  site: { allowed: "the name of a site of this region, or any", fix: "write a key of sites" },
  pool: { allowed: "the name of a pool of this region", fix: "write a key of a site's pools" },
  replicas: { allowed: "a whole number from 1 to 9", fix: "remove the setting for what the region can hold" },
  size: { allowed: "a size such as 20GiB", fix: "write a whole number with GiB or TiB" },
  days: { allowed: "a whole number of days from 1 to 3650", fix: "write how many days are kept" },
  host: { allowed: "a DNS name", fix: "write the name alone, in lower case, without a scheme or a path" },
  email: { allowed: "an e-mail address", fix: "write it like ops@example.com" },
  url: { allowed: "an https address without a user or password", fix: 'write it like "https://s3.example.net"' },
  repository: {
    allowed: "the address of a Git repository, such as git@github.com:acme/cluster.git",
    fix: "copy it from where the repository is hosted",
  },
  schedule: { allowed: "a cron schedule of five fields", fix: 'write it like "0 3 * * *"' },
  bucket: { allowed: "the name of a bucket", fix: "write 3 to 63 lower-case letters, digits, - or ." },
  name: { allowed: "a Kubernetes name", fix: "write lower-case letters, digits and -" },
  names: { allowed: "a list of Kubernetes names, at least one", fix: "write it as a list" },
  word: { allowed: "a text that is not empty", fix: "write it, or remove the setting" },
  secret: {
    allowed: "a secret text, encrypted",
    fix: "pulumi config set --secret --path 'hybrid-k3s:<path>'",
  },
} as const satisfies Record<string, Rule>;

const named = (rule: Rule, test: (value: string) => boolean) => text(rule, test);
const FIELD = /^(\*|[0-9A-Za-z*/,-]+)$/;

/** A switch. */
export const flag = () => z.boolean(saying(PLATFORM_RULES.switch));
/** A number of replicas. Left out, a release takes what the region can hold. */
export const replicas = () => wholeNumber(PLATFORM_RULES.replicas, 1, 9);
/** The size of a volume, in GiB once parsed. */
export const size = () =>
  named(PLATFORM_RULES.size, (value) => parseSize(value) !== undefined).transform((value) => parseSize(value) ?? 0);
/** A duration, in seconds once parsed. */
export const period = () =>
  named(PLATFORM_RULES.duration, (value) => parseDuration(value) !== undefined).transform(
    (value) => parseDuration(value) ?? 0,
  );
/** A number of days. */
export const days = () => wholeNumber(PLATFORM_RULES.days, 1, 3650);
/** A DNS name. */
export const hostname = () => named(PLATFORM_RULES.host, (value) => isHost(value) && !/^[\d.]+$/.test(value));
/** An e-mail address. */
export const email = () => named(PLATFORM_RULES.email, (value) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value));
/** An https address. */
export const url = () => named(PLATFORM_RULES.url, (value) => /^https:\/\/[^\s@]+$/.test(value) && URL.canParse(value));
/** A Git repository. */
export const repository = () =>
  named(PLATFORM_RULES.repository, (value) => /^(https:\/\/[^\s@]+|(ssh:\/\/)?git@[\w.-]+[:/][^\s]+)$/.test(value));
/** A cron schedule. */
export const schedule = () =>
  named(PLATFORM_RULES.schedule, (value) => {
    const fields = value.trim().split(/\s+/);
    return fields.length === 5 && fields.every((field) => FIELD.test(field));
  });
/** A name of Kubernetes. */
export const kubernetesName = () => named(PLATFORM_RULES.name, isDnsLabel);
/** Any text that is not empty. */
export const word = () => named(PLATFORM_RULES.word, (value) => value.trim() !== "");
/** A text that stands encrypted in the stack's file. */
export const secretText = () => secret(PLATFORM_RULES.secret, (value) => value.trim() !== "");

const bucketShape = {
  bucket: named(PLATFORM_RULES.bucket, (value) => /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value)).describe(
    "Name of the bucket",
  ),
  endpoint: url().optional().describe("Address of the service; left out: AWS"),
  region: word().default("auto").describe("Region of the service; `auto` for R2 and Garage"),
  accessKeyId: secretText().describe("Who may write to it"),
  secretAccessKey: secretText().describe("Its secret half, encrypted"),
};

/** A bucket that speaks S3, and who may write to it: all of it belongs to one release. */
export const wholeBucket = () => strict(bucketShape);
/** A bucket that speaks S3, who may write to it, and a folder in it. */
export const bucket = () => strict({ ...bucketShape, prefix: word().optional().describe("Folder in the bucket") });

const place = strict({
  site: text(PLATFORM_RULES.site, isDnsLabel)
    .optional()
    .describe("The site that it runs in; `any`: every site, also where it would stay in one"),
  pool: text(PLATFORM_RULES.pool, isDnsLabel).optional().describe("The pool that it runs on"),
});

/** The settings of a release: its own, where it runs, and the values that are merged last. */
export const releaseSettings = <Shape extends z.ZodRawShape>(shape: Shape) =>
  strict({
    ...shape,
    place: place.prefault({}).describe("Where it may run; left out: what the release is made for"),
    values: z
      .record(z.string(), z.unknown(), saying(PLATFORM_RULES.values))
      .default({})
      .describe("Helm values, merged last over ours"),
  });
