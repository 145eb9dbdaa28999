import type { Distribution } from "../bootstrap/user-data.ts";
import recorded from "./bundles.json" with { type: "json" };

/** What a bundle is. */
export interface Bundle {
  readonly cpus: number;
  /** GiB. */
  readonly memoryGiB: number;
  /** Size of the system disk. GiB. */
  readonly diskGiB: number;
  /** Share of each CPU that may be used for ever; above it a store of credits is used up. Percent. */
  readonly baselinePercent: number;
  /** US dollars a month, with IPv4 and IPv6. */
  readonly monthlyUsd: number;
}

/**
 * Bundles by id. `npm run pin` writes the file anew where the AWS CLI is logged in. Some regions end an id in another
 * number (Sydney: `_3_2`); such a bundle is known by the part before it.
 */
const BUNDLES: Readonly<Record<string, Bundle>> = recorded.bundles;

/** Ids of all bundles, the smallest first. */
export const bundleIds: readonly string[] = Object.keys(BUNDLES);

const family = (id: string): string => id.replace(/_\d+$/, "");

/** A bundle by id, whatever number its region ends it in; undefined if there is none of that name. */
export const bundleOf = (id: string): Bundle | undefined =>
  BUNDLES[id] ?? Object.entries(BUNDLES).find(([known]) => family(known) === family(id))?.[1];

/** What an image is, and who logs in to it. */
export interface Blueprint {
  readonly distribution: Distribution;
  /** Login user. https://docs.aws.amazon.com/lightsail/latest/userguide/understanding-ssh-in-amazon-lightsail.html */
  readonly user: string;
}

/** Blueprints by id, as `aws lightsail get-blueprints` names them. */
export const BLUEPRINTS: Readonly<Record<string, Blueprint>> = {
  amazon_linux_2023: { distribution: "amazon-linux-2023", user: "ec2-user" },
  debian_12: { distribution: "debian-12", user: "admin" },
  ubuntu_24_04: { distribution: "ubuntu-24.04", user: "ubuntu" },
};

/**
 * Zones by AWS region, as letters. `aws lightsail get-regions --include-availability-zones` tells of yours.
 * https://docs.aws.amazon.com/lightsail/latest/userguide/understanding-regions-and-availability-zones-in-amazon-lightsail.html
 */
export const ZONES: Readonly<Record<string, readonly string[]>> = {
  "ap-northeast-1": ["a", "c", "d"],
  "ap-northeast-2": ["a", "b", "c", "d"],
  "ap-south-1": ["a", "b", "c"],
  "ap-southeast-1": ["a", "b", "c"],
  "ap-southeast-2": ["a", "b", "c"],
  "ap-southeast-3": ["a", "b", "c"],
  "ca-central-1": ["a", "b", "d"],
  "eu-central-1": ["a", "b", "c"],
  "eu-north-1": ["a", "b", "c"],
  "eu-west-1": ["a", "b", "c"],
  "eu-west-2": ["a", "b", "c"],
  "eu-west-3": ["a", "b", "c"],
  "us-east-1": ["a", "b", "c", "d", "e", "f"],
  "us-east-2": ["a", "b", "c"],
  "us-west-2": ["a", "b", "c", "d"],
};
