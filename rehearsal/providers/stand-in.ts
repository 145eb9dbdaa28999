import type { Provider, ResourceType, Step } from "../../provider/protocol/resource-type.ts";

export type { Operation } from "../../provider/protocol/resource-type.ts";

/** One resource type of a stand-in. */
export interface StandInType extends ResourceType {
  /** Where it is written what forces a replacement: the real provider's schema or source. */
  readonly source: string;
}

/**
 * A provider of the rehearsal: what it knows instead of the plugin of the same name, whose version it follows; or a
 * provider of this project itself, as it is.
 */
export interface StandIn extends Omit<Provider, "before"> {
  /** How often the real provider tries again, by HTTP status. @default never */
  readonly retries?: Readonly<Record<number, number>>;
}

/** Called before a stand-in acts; throws to make the step fail, or waits to make it hang. */
export type Disturb = (step: Step) => Promise<void>;
