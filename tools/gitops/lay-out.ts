import { lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Files } from "./skeleton.ts";

/** What stands in the way of some files, in words; and those that are not there yet. */
export interface LayOut {
  readonly conflicts: readonly string[];
  readonly missing: readonly string[];
}

/** What a path is; undefined where there is nothing. A link counts as itself: what it leads to is nobody's to change here. */
function kindOf(path: string): "folder" | "file" | "other" | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  return found.isDirectory() ? "folder" : found.isFile() ? "file" : "other";
}

/** The folders that a path goes through, from the outermost on. */
function foldersOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join("/"));
}

/** Compares a folder with the files that it is to hold, and changes nothing. */
export function compare(folder: string, files: Files): LayOut {
  const conflicts = new Set<string>();
  const missing: string[] = [];
  for (const [path, content] of Object.entries(files)) {
    const blocked = foldersOf(path).find((part) => !["folder", undefined].includes(kindOf(join(folder, part))));
    const kind = blocked === undefined ? kindOf(join(folder, path)) : "other";
    if (blocked !== undefined) conflicts.add(`${blocked}: no folder`);
    else if (kind === undefined) missing.push(path);
    else if (kind !== "file") conflicts.add(`${path}: no file`);
    else if (readFileSync(join(folder, path), "utf8") !== content) conflicts.add(`${path}: another content`);
  }
  return { conflicts: [...conflicts], missing };
}

/** Writes files that are not there. One that came to be meanwhile is an error: nothing is ever overwritten. */
export function write(folder: string, files: Files, paths: readonly string[]): void {
  for (const path of paths) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, files[path] ?? "", { flag: "wx" });
  }
}
