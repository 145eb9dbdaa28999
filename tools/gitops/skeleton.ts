import { HANDED_OVER } from "../../components/platform/hand-over.ts";
import { applicationSet, type Origin } from "./application-set.ts";
import { IGNORED, PUBLISHED, WORKLOAD } from "./examples.ts";
import { readme } from "./readme.ts";

/** Texts by their path in a folder. */
export type Files = Readonly<Record<string, string>>;

/** The files of a new config repository: what the root application follows, an example of each kind, and how to go on. */
export const skeleton = (origin: Origin): Files => ({
  ".gitignore": IGNORED,
  "README.md": readme(origin),
  ...Object.fromEntries(HANDED_OVER.map((top) => [`root/${top}.yaml`, applicationSet(top, origin)])),
  ...PUBLISHED,
  ...WORKLOAD,
});
