import { createHash, randomBytes, randomInt } from "node:crypto";
import type { StandIn, StandInType } from "./stand-in.ts";
import type { Value, Values } from "../../provider/protocol/wire.ts";

const CLASSES = {
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  lower: "abcdefghijklmnopqrstuvwxyz",
  numeric: "0123456789",
  special: "!@#$%&*()-_=+[]{}<>:?",
} as const;

/** The provider's own defaults: https://registry.terraform.io/providers/hashicorp/random/latest/docs/resources/password */
const DEFAULTS = { ...allClasses(true), minUpper: 0, minLower: 0, minNumeric: 0, minSpecial: 0 };

function allClasses(value: boolean): Record<keyof typeof CLASSES, boolean> {
  return { upper: value, lower: value, numeric: value, special: value };
}

const number = (value: Value | undefined): number => (typeof value === "number" ? value : 0);
const pick = (alphabet: string): string => alphabet.charAt(randomInt(alphabet.length));

/** A random text by the provider's rules: as many of each class as is asked for, the rest from all of them, shuffled. */
function randomText(inputs: Values): string {
  const settings: Values = { ...DEFAULTS, ...inputs };
  const alphabetOf = (name: keyof typeof CLASSES): string => {
    if (settings[name] === false) return "";
    const own = settings["overrideSpecial"];
    return name === "special" && typeof own === "string" && own !== "" ? own : CLASSES[name];
  };
  const names = Object.keys(CLASSES) as (keyof typeof CLASSES)[];
  const all = names.map(alphabetOf).join("");
  const characters = names.flatMap((name) => {
    const minimum = number(settings[`min${name.charAt(0).toUpperCase()}${name.slice(1)}`]);
    return Array.from({ length: minimum }, () => pick(alphabetOf(name)));
  });
  while (characters.length < number(settings["length"])) characters.push(pick(all));
  for (let index = characters.length - 1; index > 0; index--) {
    const other = randomInt(index + 1);
    [characters[index], characters[other]] = [characters[other] ?? "", characters[index] ?? ""];
  }
  return characters.join("");
}

const SOURCE =
  "every input is ForceNew: https://github.com/hashicorp/terraform-provider-random/tree/main/internal/provider";

const checkPositive = (inputs: Values, name: string): Record<string, string> => {
  const value = inputs[name];
  return typeof value === "number" && value < 1 ? { [name]: `${name} must be at least 1, found ${value}` } : {};
};

/** The real provider stores a bcrypt hash; nothing of this project reads it, so the rehearsal stores a digest of that form. */
const placeholderHash = (text: string): string =>
  `$2a$10$${createHash("sha256").update(text).digest("base64url").slice(0, 53).padEnd(53, "0")}`;

const password: StandInType = {
  token: "random:index/randomPassword:RandomPassword",
  replaceOn: "all",
  source: SOURCE,
  computed: ["result", "bcryptHash"],
  secretOutputs: ["result", "bcryptHash"],
  check: (inputs) => checkPositive(inputs, "length"),
  create: ({ inputs }) => {
    const result = randomText(inputs);
    return Promise.resolve({
      id: "none",
      outputs: { ...DEFAULTS, ...inputs, result, bcryptHash: placeholderHash(result) },
    });
  },
};

const text: StandInType = {
  token: "random:index/randomString:RandomString",
  replaceOn: "all",
  source: SOURCE,
  computed: ["result"],
  check: (inputs) => checkPositive(inputs, "length"),
  create: ({ inputs }) => {
    const result = randomText(inputs);
    return Promise.resolve({ id: result, outputs: { ...DEFAULTS, ...inputs, result } });
  },
};

const id: StandInType = {
  token: "random:index/randomId:RandomId",
  replaceOn: "all",
  source: SOURCE,
  computed: ["b64Std", "b64Url", "dec", "hex"],
  check: (inputs) => checkPositive(inputs, "byteLength"),
  create: ({ inputs }) => {
    const bytes = randomBytes(number(inputs["byteLength"]));
    const prefix = typeof inputs["prefix"] === "string" ? inputs["prefix"] : "";
    const hex = bytes.toString("hex");
    return Promise.resolve({
      id: bytes.toString("base64url"),
      outputs: {
        hex: prefix + hex,
        dec: prefix + BigInt(`0x${hex}`).toString(),
        b64Std: prefix + bytes.toString("base64"),
        b64Url: prefix + bytes.toString("base64url"),
      },
    });
  },
};

/** Stands in for the random provider, with real randomness. */
export const randomStandIn: StandIn = { name: "random", version: "4.21.2", types: [password, text, id] };
