import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { basename } from "node:path";

/** What may vanish while it is looked at. */
function reading<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** The process that started a process; undefined where there is none. */
function parentOf(id: number): number | undefined {
  const status = reading(() => readFileSync(`/proc/${id}/status`, "utf8"));
  return status === undefined ? undefined : Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
}

function descendsFrom(id: number, ancestor: number): boolean {
  for (let at: number | undefined = id; at !== undefined && at > 1; at = parentOf(at)) if (at === ancestor) return true;
  return false;
}

/** Ids of the processes that this one started, or those that it started, whose executable has a name. */
export const childrenNamed = (executable: string): number[] =>
  readdirSync("/proc")
    .map(Number)
    .filter((id) => id > 1 && id !== process.pid)
    .filter((id) => basename(reading(() => readlinkSync(`/proc/${id}/exe`)) ?? "") === executable)
    .filter((id) => descendsFrom(id, process.pid));
