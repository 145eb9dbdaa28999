import type { Operation, ResourceType } from "../../provider/protocol/resource-type.ts";
import { changedNames, type Values } from "../../provider/protocol/wire.ts";

/** What a resource type said, noted and warned of. */
export interface Heard {
  readonly said: string[];
  readonly noted: string[];
  readonly warned: string[];
}

/** An operation on one resource, as the engine would ask for it. */
export function operation(parts: Partial<Operation>, heard?: Heard): Operation {
  return {
    urn: "urn:pulumi:s::p::t::n",
    name: "n",
    inputs: {},
    olds: parts.inputs ?? {},
    id: "",
    configuration: {},
    timeoutSeconds: undefined,
    signal: new AbortController().signal,
    say: (text) => heard?.said.push(text),
    note: (text) => heard?.noted.push(text),
    warn: (text) => heard?.warned.push(text),
    ...parts,
  };
}

/** One resource through its life, in the engine's stead: what it is made with becomes its state. */
export class Lived {
  readonly heard: Heard = { said: [], noted: [], warned: [] };
  readonly #type: ResourceType;
  #inputs: Values = {};
  id = "";
  state: Values = {};

  constructor(type: ResourceType | undefined) {
    if (type === undefined) throw new Error("the provider has no such type");
    this.#type = type;
  }

  #full(inputs: Values): Values {
    return { ...this.#type.defaults, ...inputs };
  }

  async create(given: Values): Promise<Values> {
    const inputs = this.#full(given);
    const { id, outputs } = await this.#type.create(operation({ inputs }, this.heard));
    [this.id, this.#inputs, this.state] = [id, inputs, { ...inputs, ...outputs }];
    return this.state;
  }

  /** What a preview says: names of what changed, and `replace` where it needs another resource. */
  async diff(given: Values = this.#inputs): Promise<readonly string[]> {
    const inputs = this.#full(given);
    const changed = changedNames(this.#inputs, inputs);
    const { replaceOn } = this.#type;
    const replaces = replaceOn === "all" ? changed : changed.filter((name) => replaceOn.includes(name));
    const asked = operation({ inputs, olds: this.state, id: this.id }, this.heard);
    const found = (await this.#type.diff?.(asked, { changed, replaces })) ?? { changed, replaces };
    return found.replaces.length > 0 ? ["replace", ...found.changed] : found.changed;
  }

  async update(given: Values = this.#inputs): Promise<Values> {
    const inputs = this.#full(given);
    const asked = operation({ inputs, olds: this.state, id: this.id }, this.heard);
    const outputs = (await this.#type.update?.(asked)) ?? {};
    this.state = { ...this.state, ...inputs, ...outputs };
    this.#inputs = inputs;
    return this.state;
  }

  async delete(): Promise<void> {
    await this.#type.delete?.(operation({ inputs: this.#inputs, olds: this.state, id: this.id }, this.heard));
  }

  /** Whether a refresh still finds it. */
  async isThere(): Promise<boolean> {
    const asked = operation({ inputs: this.#inputs, olds: this.state, id: this.id }, this.heard);
    return this.#type.read === undefined || (await this.#type.read(asked)) !== undefined;
  }
}
