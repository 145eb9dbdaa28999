import { deepmergeCustom } from "deepmerge-ts";

/** Merges Helm values by Helm's own rule: maps are merged, lists are replaced. */
export const mergeValues = deepmergeCustom({ mergeArrays: false });
