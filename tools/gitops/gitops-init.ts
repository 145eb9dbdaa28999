import { statSync } from "node:fs";
import { parseArgs } from "node:util";
import { repository as repositorySchema } from "../../components/platform/release-settings.ts";
import { unpack } from "../../components/strict-schema.ts";
import { compare, write } from "./lay-out.ts";
import { skeleton } from "./skeleton.ts";

const HELP = `npm run gitops:init -- <folder> --repository <url> [--revision <branch>] [--help]

Writes the skeleton of the repository that Argo CD follows: root/ with one ApplicationSet for each of platform/ and workloads/,
an example of each, and a README. Adding a folder adds an app.
  --repository  address of the repository, as in the setting argo-cd.repository.url
  --revision    branch or tag that is followed, as in argo-cd.repository.revision (HEAD, the repository's own default)
Never overwrites: where a file has another content, all such files are listed and nothing is written.
Exit code: 0 the skeleton is there · 1 something stands in its way · 2 wrong usage`;

/** Where a command says what it does. */
export interface Voice {
  readonly say: (line: string) => void;
  readonly complain: (line: string) => void;
}

interface Wish {
  readonly folder: string;
  readonly repository: string;
  readonly revision: string;
}

/** What the command line asks for; undefined for help. @throws Error that says what is wrong with it */
function wishOf(args: readonly string[]): Wish | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      repository: { type: "string" },
      revision: { type: "string", default: "HEAD" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return undefined;
  const [folder, ...more] = positionals;
  if (folder === undefined || more.length > 0) throw new Error(`found ${positionals.length} folders · allowed one`);
  if (values.repository === undefined)
    throw new Error("found no --repository · allowed the address of a Git repository");
  const checked = repositorySchema().safeParse(values.repository);
  if (!checked.success) {
    const { allowed, fix } = unpack(checked.error.issues[0]?.message ?? "");
    throw new Error(`--repository: found ${JSON.stringify(values.repository)} · allowed ${allowed} · fix: ${fix}`);
  }
  if (!/^[\w./-]+$/.test(values.revision)) {
    throw new Error(
      `--revision: found ${JSON.stringify(values.revision)} · allowed a branch or a tag · fix: write its name`,
    );
  }
  return { folder, repository: checked.data, revision: values.revision };
}

function layOut({ folder, ...origin }: Wish, { say, complain }: Voice): number {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false) {
    complain(`${folder}: found a file · allowed a folder, or nothing yet · fix: name another one`);
    return 1;
  }
  const files = skeleton(origin);
  const { conflicts, missing } = compare(folder, files);
  if (conflicts.length > 0) {
    complain(
      `${folder}: found ${conflicts.length} of ${Object.keys(files).length} paths taken · allowed the skeleton's own content, or nothing · fix: move them, or name an empty folder. Nothing was written`,
    );
    for (const line of conflicts) complain(`  ${line}`);
    return 1;
  }
  write(folder, files, missing);
  for (const path of missing) say(`  ${path}`);
  say(
    missing.length === 0
      ? `${folder} holds the skeleton already: nothing was written`
      : `${folder}: ${missing.length} files written. Next: commit and push them, and state argo-cd.repository in the stack's settings`,
  );
  return 0;
}

/**
 * Writes the skeleton of a config repository, as the command line asks.
 * @returns the exit code
 */
export function gitopsInit(args: readonly string[], voice: Voice): number {
  let wish: Wish | undefined;
  try {
    wish = wishOf(args);
  } catch (error) {
    voice.complain(`${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  if (wish === undefined) {
    voice.say(HELP);
    return 0;
  }
  try {
    return layOut(wish, voice);
  } catch (error) {
    voice.complain(
      `${wish.folder}: ${(error as Error).message} · fix: let this user write there, or name another folder`,
    );
    return 1;
  }
}
