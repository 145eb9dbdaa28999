import { existsSync, readFileSync, readdirSync, rmdirSync, writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";

/** Every cgroup hierarchy that is mounted here: one per controller under version 1, a single one under version 2. */
export function hierarchies(mounts: string = readFileSync("/proc/mounts", "utf8")): string[] {
  const found = mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, path]) => path ?? "");
  return [...new Set(found)];
}

/**
 * Makes a cgroup in every hierarchy. A host that starts inside them has them as its roots, so its kubelet finds
 * every controller.
 * @returns the folders, whose `cgroup.procs` a process writes itself into
 */
export function makeCgroups(name: string): string[] {
  return hierarchies().map((hierarchy) => {
    const path = join(hierarchy, name);
    mkdirSync(path, { recursive: true });
    // A version 1 cpuset starts empty, and no process can enter an empty one.
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      if (!existsSync(join(path, file)) || !existsSync(join(hierarchy, file))) continue;
      const parent = readFileSync(join(hierarchy, file), "utf8").trim();
      if (parent !== "" && readFileSync(join(path, file), "utf8").trim() === "") {
        writeFileSync(join(path, file), parent);
      }
    }
    return path;
  });
}

/** A cgroup folder and all below it, deepest first. */
function family(path: string): string[] {
  if (!existsSync(path)) return [];
  const children = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...children.flatMap((entry) => family(join(path, entry.name))), path];
}

/** The processes of a host: whatever runs in its cgroups, in any hierarchy, at any depth. */
export function processesIn(name: string): number[] {
  const found = new Set<number>();
  for (const hierarchy of hierarchies()) {
    for (const path of family(join(hierarchy, name))) {
      try {
        for (const line of readFileSync(join(path, "cgroup.procs"), "utf8").split("\n")) {
          // 0 stands for a process outside this process's own PID namespace.
          if (Number(line) > 1) found.add(Number(line));
        }
      } catch {
        // The folder went while it was being read.
      }
    }
  }
  return [...found];
}

/**
 * Removes a host's cgroups in every hierarchy.
 * @returns what is still there, because a process in it has not gone yet
 */
export function removeCgroups(name: string): string[] {
  return hierarchies()
    .map((hierarchy) => join(hierarchy, name))
    .filter((top) => {
      for (const path of family(top)) {
        try {
          rmdirSync(path);
        } catch {
          // Busy: the caller asks again.
        }
      }
      return existsSync(top);
    });
}
