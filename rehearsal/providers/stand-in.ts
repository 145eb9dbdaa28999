import type { Values } from "./wire.ts";

/** What a stand-in's resource is asked to do with one resource. */
export interface Operation {
  readonly urn: string;
  /** Logical name: the last part of the URN. */
  readonly name: string;
  readonly inputs: Values;
  /** What the state holds: on create the same as `inputs`. */
  readonly olds: Values;
  /** The provider's id of the resource; empty on create. */
  readonly id: string;
  /** Configuration of the provider instance that the resource belongs to. */
  readonly configuration: Values;
  /** `customTimeouts` of the resource in seconds; undefined where none is set. */
  readonly timeoutSeconds: number | undefined;
  /** Aborted when the engine cancels. */
  readonly signal: AbortSignal;
}

/** One resource type of a stand-in. */
export interface StandInType {
  readonly token: string;
  /** Inputs whose change makes the real provider replace the resource; a dot leads into an object. */
  readonly replaceOn: readonly string[] | "all";
  /** Where that is written: the real provider's schema or source. */
  readonly source: string;
  /** Names of outputs that are not inputs. They are unknown while a create is previewed. */
  readonly computed: readonly string[];
  /** Whether a previewed update makes them unknown too. @default false */
  readonly computedOnUpdate?: boolean;
  /** Outputs that are secret whatever the inputs are. @default none */
  readonly secretOutputs?: readonly string[];
  /** Problems of the inputs by name; unknown values pass. @default none */
  readonly check?: (inputs: Values) => Readonly<Record<string, string>>;
  /** Inputs that the provider fills in. @default none */
  readonly defaults?: Values;
  readonly create: (operation: Operation) => Promise<{ readonly id: string; readonly outputs: Values }>;
  /** @default the new inputs beside the old computed outputs */
  readonly update?: (operation: Operation) => Promise<Values>;
  /** @default nothing happens */
  readonly delete?: (operation: Operation) => Promise<void>;
}

/** A provider of the rehearsal: what it knows instead of the plugin of the same name. */
export interface StandIn {
  readonly name: string;
  /** Version of the official plugin whose behaviour it follows. */
  readonly version: string;
  readonly types: readonly StandInType[];
  /** Functions by token, such as `hcloud:index/getServerType:getServerType`. @default none */
  readonly functions?: Readonly<Record<string, (inputs: Values) => Values>>;
  /** How often the real provider tries again, by HTTP status. @default never */
  readonly retries?: Readonly<Record<number, number>>;
  /** Provider inputs whose change replaces the provider resource, given old and new. @default none */
  readonly replacesProvider?: (olds: Values, news: Values) => readonly string[];
}

/** Called before a stand-in acts; throws to make the step fail, or waits to make it hang. */
export type Disturb = (step: {
  readonly type: string;
  readonly name: string;
  readonly action: "create" | "update" | "delete";
  readonly signal: AbortSignal;
}) => Promise<void>;
