import { defineRelease } from "../release.ts";
import { releaseSettings } from "../release-settings.ts";
import {
  secretStoreLasting,
  secretStoreProblems,
  secretStoreSettings,
  secretStoreValues,
  secretStoreWorkloads,
  type SecretStore,
} from "../secret-store.ts";
import { pageNeeds } from "../web-page.ts";

const schema = releaseSettings(secretStoreSettings);

// Memory that is never swapped out is a right that level restricted does not give; k3s's machines have no swap.
const STORE: SecretStore = { name: "vault", stanzas: ["disable_mlock = true"], byHand: true, server: {} };

/** Vault, for those who have it already; OpenBao is what is recommended. */
export const vault = defineRelease({
  name: "vault",
  section: "Identity",
  summary:
    "secrets at run time, under a licence that is not open; people unseal each pod after each restart, unless values name a key service",
  home: "https://developer.hashicorp.com/vault/docs",
  kind: "chart",
  namespace: "vault",
  podSecurity: "restricted",
  timeoutSeconds: 600,
  schema,
  needs: pageNeeds,
  values: (topology, settings) => secretStoreValues(topology, settings, STORE),
  workloads: (topology, settings) => secretStoreWorkloads(topology, settings, "vault"),
  lasting: secretStoreLasting("vault"),
  saving: "save it (vault operator raft snapshot save)",
  problems: (_topology, settings) => secretStoreProblems(settings),
});
