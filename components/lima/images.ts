import recorded from "./images.json" with { type: "json" };

/** One place that an image is downloaded from, as Lima's YAML has it. */
export interface LimaImage {
  readonly location: string;
  readonly arch: string;
  /** Absent on the fallback: the distribution removes dated images after some months, and the newest has no known digest. */
  readonly digest?: string;
}

/**
 * Images by name. Lima takes the first entry of its own architecture that can be downloaded: a dated one with its digest,
 * then the newest one of the distribution. From Lima's own templates, so that both age together.
 */
export const IMAGES: Readonly<Record<string, readonly LimaImage[]>> = recorded.images;

/** Names of all images, sorted. */
export const imageNames: readonly string[] = Object.keys(IMAGES).sort();
