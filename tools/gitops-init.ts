// Writes the skeleton of the repository that Argo CD follows.
import { gitopsInit } from "./gitops/gitops-init.ts";

process.exitCode = gitopsInit(process.argv.slice(2), { say: console.log, complain: console.error });
