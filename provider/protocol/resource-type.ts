import type { Values } from "./wire.ts";

/** What a resource type is asked to do with one resource. */
export interface Operation {
  readonly urn: string;
  /** Logical name: the last part of the URN. */
  readonly name: string;
  readonly inputs: Values;
  /** What the state holds: on create the same as `inputs`. */
  readonly olds: Values;
  /** The provider's id of the resource; empty on create. */
  readonly id: string;
  /** Configuration of the provider instance that the resource belongs to, secrets unwrapped. */
  readonly configuration: Values;
  /** `customTimeouts` of the resource in seconds; undefined where none is set. */
  readonly timeoutSeconds: number | undefined;
  /** Aborted when the engine cancels. */
  readonly signal: AbortSignal;
  /** Tells the person who waits: shown beside the resource while the step runs. Never a secret. */
  readonly say: (text: string) => void;
  /** A line that stays in the run's output. Never a secret. */
  readonly note: (text: string) => void;
  /** A warning that stays in the run's output. Never a secret. */
  readonly warn: (text: string) => void;
}

/** What changed between two sets of inputs. */
export interface Difference {
  /** Names of what changed; none means that nothing is to be done. */
  readonly changed: readonly string[];
  /** Names among them that need another resource. */
  readonly replaces: readonly string[];
}

/** A resource as it stands: what a refresh finds. */
export interface Found {
  readonly outputs: Values;
  /** @default the inputs of the state */
  readonly inputs?: Values;
}

/** One resource type of a provider. */
export interface ResourceType {
  /** Such as `package:index:Name`. */
  readonly token: string;
  /** Inputs whose change needs another resource; a dot leads into an object. */
  readonly replaceOn: readonly string[] | "all";
  /** Names of outputs that are not inputs. They are unknown while a create is previewed. */
  readonly computed: readonly string[];
  /** Whether a previewed update makes them unknown too. @default false */
  readonly computedOnUpdate?: boolean | ((operation: Operation) => boolean | Promise<boolean>);
  /** Outputs that are secret whatever the inputs are. @default none */
  readonly secretOutputs?: readonly string[];
  /** Problems of the inputs by name; unknown values pass. @default none */
  readonly check?: (inputs: Values) => Readonly<Record<string, string>>;
  /** Inputs that the provider fills in. @default none */
  readonly defaults?: Values;
  /**
   * Looks further than at the inputs: `usual` is what they say. May reach out, and must say "nothing changed" where it
   * cannot: a preview needs no credentials.
   * @default `usual`
   */
  readonly diff?: (operation: Operation, usual: Difference) => Promise<Difference>;
  readonly create: (operation: Operation) => Promise<{ readonly id: string; readonly outputs: Values }>;
  /** @default the new inputs beside the old computed outputs */
  readonly update?: (operation: Operation) => Promise<Values>;
  /** @default nothing happens */
  readonly delete?: (operation: Operation) => Promise<void>;
  /** The resource as it stands; undefined when it is gone. @default what the state holds */
  readonly read?: (operation: Operation) => Promise<Found | undefined>;
}

/** A step that changes something, before it is taken. */
export interface Step {
  readonly type: string;
  readonly name: string;
  readonly action: "create" | "update" | "delete";
  readonly signal: AbortSignal;
}

/** A provider: its resource types, and what its own configuration means. */
export interface Provider {
  /** The package's name. */
  readonly name: string;
  readonly version: string;
  readonly types: readonly ResourceType[];
  /** Makes a type that is not listed, for providers whose types are without end. @default there are none */
  readonly otherTypes?: (token: string) => ResourceType | undefined;
  /** Functions by token, such as `hcloud:index/getServerType:getServerType`. @default none */
  readonly functions?: Readonly<Record<string, (inputs: Values) => Values>>;
  /** Problems of the provider's own inputs by name; unknown values pass. @default none */
  readonly checkConfiguration?: (inputs: Values) => Readonly<Record<string, string>>;
  /** Provider inputs whose change replaces the provider resource, given old and new. @default none */
  readonly replacesProvider?: (olds: Values, news: Values) => readonly string[];
  /** Called before every step that changes something; may throw, or wait. @default nothing happens */
  readonly before?: (step: Step) => Promise<void>;
}
