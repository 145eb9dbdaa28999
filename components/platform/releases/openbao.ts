import { z } from "zod";
import { saying, strict, type Rule } from "../../strict-schema.ts";
import { defineRelease, type SecretDefinition } from "../release.ts";
import { releaseSettings, secretText, url, word } from "../release-settings.ts";
import {
  secretStoreLasting,
  secretStoreProblems,
  secretStoreSettings,
  secretStoreValues,
  secretStoreWorkloads,
  type SecretStore,
} from "../secret-store.ts";
import { pageNeeds } from "../web-page.ts";

const RULES = {
  unseal: { allowed: "stored-key, transit or by-hand", fix: "write one of them, or remove the setting for stored-key" },
} as const satisfies Record<string, Rule>;

const schema = releaseSettings({
  ...secretStoreSettings,
  unseal: z
    .enum(["stored-key", "transit", "by-hand"], saying(RULES.unseal))
    .default("stored-key")
    .describe(
      "Who opens it after a start. `stored-key`: a key in a Secret of its namespace; it opens by itself, and whoever may read that Secret or the stack's state can open a stolen volume. `transit`: another OpenBao or Vault, which must be there whenever this one starts. `by-hand`: nobody but people with `bao operator unseal`, after each restart of each pod: it is closed until they come",
    ),
  transit: strict({
    address: url().describe("Address of the other one"),
    keyName: word().describe("Name of the key there"),
    mountPath: word().default("transit/").describe("Where its transit engine is mounted"),
    token: secretText().describe("Token that may encrypt and decrypt with that key, encrypted"),
  })
    .optional()
    .describe("The other one, with `unseal: transit`"),
});
type Settings = z.output<typeof schema>;

const NAME = "openbao";
const UNSEAL = "openbao-unseal";
const FOLDER = "/openbao/unseal";

/** https://openbao.org/docs/configuration/seal/static, https://openbao.org/docs/configuration/seal/transit */
function storeOf({ unseal, transit }: Settings): SecretStore {
  const byHand = unseal === "by-hand";
  const base = { name: NAME, byHand };
  if (byHand) return { ...base, stanzas: [], server: {} };
  if (unseal === "transit") {
    const { address = "", keyName = "", mountPath = "" } = transit ?? {};
    const lines = [`  address = "${address}"`, `  key_name = "${keyName}"`, `  mount_path = "${mountPath}"`];
    const server = { extraSecretEnvironmentVars: [{ envName: "BAO_TOKEN", secretName: UNSEAL, secretKey: "token" }] };
    return { ...base, stanzas: [['seal "transit" {', ...lines, "}"].join("\n")], server };
  }
  const lines = ['  current_key_id = "stack"', `  current_key = "file://${FOLDER}/key"`];
  const server = {
    volumes: [{ name: "unseal", secret: { secretName: UNSEAL, defaultMode: 0o440 } }],
    volumeMounts: [{ name: "unseal", mountPath: FOLDER, readOnly: true }],
  };
  return { ...base, stanzas: [['seal "static" {', ...lines, "}"].join("\n")], server };
}

function secrets({ unseal, transit }: Settings): SecretDefinition[] {
  if (unseal === "stored-key") return [{ name: UNSEAL, entries: { key: { hex: 64 } } }];
  return unseal === "transit" && transit !== undefined
    ? [{ name: UNSEAL, entries: { token: { text: transit.token } } }]
    : [];
}

/** OpenBao: secrets at run time, the open successor of Vault. */
export const openbao = defineRelease({
  name: NAME,
  section: "Identity",
  summary:
    "secrets at run time; after the first start, `bao operator init` in one of its pods gives the first token, once",
  home: "https://openbao.org/docs/",
  kind: "chart",
  namespace: "openbao",
  podSecurity: "restricted",
  timeoutSeconds: 600,
  schema,
  needs: pageNeeds,
  values: (topology, settings) => secretStoreValues(topology, settings, storeOf(settings)),
  workloads: (topology, settings) => secretStoreWorkloads(topology, settings, NAME),
  lasting: secretStoreLasting("bao"),
  saving: "save it (bao operator raft snapshot save)",
  podAnnotations: (annotations) => ({ server: { annotations } }),
  secrets: (_topology, settings) => secrets(settings),
  problems: (_topology, settings) => {
    const { unseal, transit } = settings;
    const wrong = (unseal === "transit") !== (transit !== undefined);
    return [
      ...secretStoreProblems(settings),
      ...(wrong
        ? [
            {
              path: "transit",
              found: transit === undefined ? "nothing, with unseal: transit" : `settings, with unseal: ${unseal}`,
              allowed: "transit together with unseal: transit",
              fix: transit === undefined ? "state transit" : "write unseal: transit, or remove transit",
            },
          ]
        : []),
    ];
  },
});
