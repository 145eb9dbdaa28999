import { limaAddress, limaVm } from "../lima-scripts.ts";
import type { LocalScriptRun } from "./local-script-run.ts";
import { serverProtection } from "./server-protection.ts";

/** What a script that runs on this computer does to the world. */
export type LocalBehaviour = (run: LocalScriptRun) => Promise<void>;

/** Every script of this computer that the rehearsal can play, by the name of its file. */
export const LOCAL_BEHAVIOURS: Readonly<Record<string, LocalBehaviour>> = {
  "lima-address": (run) => limaAddress(run, "here"),
  "lima-vm": (run) => limaVm(run, "here"),
  "server-protection": serverProtection,
};
