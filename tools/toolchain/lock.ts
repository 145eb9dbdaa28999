import { mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};

/** What is done by one run at a time on this computer. */
export interface Lock {
  /** The lock file. Its text is the process that holds it, whose death releases it. */
  readonly path: string;
  /** Ends the sentence "another run is …". */
  readonly does: string;
  /** How long it may be waited for, in ms. */
  readonly longest: number;
  readonly say: (line: string) => void;
}

/**
 * Runs something when no other run on this computer does.
 * @throws Error naming the lock's holder, if it holds it for too long
 */
export async function locked<T>({ path, does, longest, say }: Lock, run: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const deadline = Date.now() + longest;
  for (let told = false; ;) {
    try {
      const handle = await open(path, "wx");
      await handle.writeFile(`${process.pid}\n`);
      await handle.close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = Number((await readFile(path, "utf8").catch(() => "")).trim());
    const age =
      Date.now() -
      (await stat(path)
        .then((entry) => entry.mtimeMs)
        .catch(() => Date.now()));
    // A file without a number was made a moment ago, or its maker died in between.
    if (owner > 0 ? !alive(owner) : age > 5_000) {
      await rm(path, { force: true });
      continue;
    }
    if (Date.now() > deadline) throw new Error(`${path} is held by process ${owner}; end it or delete the file`);
    if (!told) say(`another run (process ${owner}) is ${does}; waiting for it`);
    told = true;
    await sleep(500);
  }
  try {
    return await run();
  } finally {
    await rm(path, { force: true });
  }
}
