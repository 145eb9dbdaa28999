import * as pulumi from "@pulumi/pulumi";

/** One resource as the engine would receive it: the mocks of the SDK hide everything but type, name and inputs. */
export interface GraphNode {
  readonly type: string;
  readonly name: string;
  /** `type::name` of the parent; empty for the stack itself. */
  readonly parent: string;
  readonly dependsOn: readonly string[];
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a fake provider answers for a resource, on top of its inputs; its `id` among it, where it matters. */
export type FakeState = (type: string, name: string) => Record<string, unknown>;

/** What a fake provider answers to a call of one of its functions. */
export type FakeAnswers = (token: string, inputs: Readonly<Record<string, unknown>>) => Record<string, unknown>;

/** How a program is recorded. */
export interface RecordOptions {
  /** As a preview: custom resources have no id and no outputs yet. @default false */
  readonly preview?: boolean;
  /** Configuration by full key. */
  readonly config?: Readonly<Record<string, string>>;
  readonly secretKeys?: readonly string[];
  readonly state?: FakeState;
  /** @default the inputs */
  readonly answers?: FakeAnswers;
  /** Shows secret inputs in clear, for tests of what is inside them. @default false */
  readonly reveal?: boolean;
}

interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
  getDependenciesList(): string[];
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getDeletebeforereplace(): boolean;
  getIgnorechangesList(): string[];
  getAdditionalsecretoutputsList(): string[];
  getReplacementTrigger(): { toJavaScript(): unknown } | undefined;
  getProvider(): string;
  getDeletedwith(): string;
  getCustomtimeouts(): { toObject(): Record<string, string> } | undefined;
}
type Register = (request: RegisterRequest, callback: (error: unknown, response: unknown) => void) => unknown;

const SECRET = "4dabf18193072939515e22adb298388d";
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? urn;

/** `type::name` of a URN: a region's components share its name, so a name alone does not say which one is meant. */
const identityOf = (urn: string): string => urn.split("::").slice(2).join("::").split("$").at(-1) ?? urn;
const filled = (value: unknown): boolean =>
  Boolean(value) &&
  !(Array.isArray(value) && value.length === 0) &&
  !(typeof value === "object" && Object.keys(value!).length === 0);

/** Puts words in place of the wire's marks for secret and unknown values. */
export function readable(value: unknown, reveal = false): unknown {
  if (value === UNKNOWN) return "[unknown]";
  if (Array.isArray(value)) return value.map((inner) => readable(inner, reveal));
  if (typeof value !== "object" || value === null) return value;
  if (SECRET in value) return reveal ? readable((value as { value?: unknown }).value, reveal) : "[secret]";
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, readable(inner, reveal)]));
}

function toNode(request: RegisterRequest, reveal: boolean): GraphNode {
  const timeouts = request.getCustomtimeouts()?.toObject() ?? {};
  const options = {
    protect: request.getProtect(),
    retainOnDelete: request.getRetainondelete(),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    secretOutputs: request.getAdditionalsecretoutputsList(),
    replacementTrigger: request.getReplacementTrigger()?.toJavaScript(),
    deletedWith: nameOf(request.getDeletedwith()),
    provider: request.getProvider() === "" ? "" : (request.getProvider().split("::").at(-2) ?? ""),
    timeouts: Object.fromEntries(
      Object.entries(timeouts)
        .map(([key, value]): [string, string] => [key.replace(/^pb_/, ""), value])
        .filter(([, value]) => value !== ""),
    ),
  };
  return {
    type: request.getType(),
    name: request.getName(),
    parent: identityOf(request.getParent()),
    dependsOn: request.getDependenciesList().map(nameOf).sort(),
    inputs: readable(request.getObject()?.toJavaScript() ?? {}, reveal) as Record<string, unknown>,
    options: Object.fromEntries(Object.entries(options).filter(([, value]) => filled(value))),
  };
}

/**
 * Runs a program against the SDK's mock engine and returns every resource it registers, sorted by parent, type, name.
 * @throws what the program throws; Error on two resources of one identity, which the mock engine would let pass
 */
export async function recordGraph(program: () => unknown, options: RecordOptions = {}): Promise<GraphNode[]> {
  const { preview = false, config = {}, secretKeys = [], state = () => ({}), reveal = false } = options;
  const answers: FakeAnswers = options.answers ?? ((_, inputs) => inputs);
  const nodes: GraphNode[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, custom, inputs }) => {
        const known: Record<string, unknown> = preview && custom === true ? {} : state(type, name);
        const { id = `${name}-id`, ...outputs } = known;
        return {
          id: custom === true && !preview ? String(id) : undefined,
          state: { ...(inputs as object), ...outputs },
        };
      },
      call: ({ token, inputs }) => answers(token, inputs as Record<string, unknown>),
    },
    "hybrid-k3s",
    "test",
    preview,
    "organization",
  );
  pulumi.runtime.setAllConfig({ ...config }, [...secretKeys]);
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource: Register;
    registerResourceHook: unknown;
    registerErrorHook: unknown;
  };
  const acknowledge = (_: unknown, callback: (error: null, response: object) => void): void => callback(null, {});
  monitor.registerResourceHook = acknowledge;
  monitor.registerErrorHook = acknowledge;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    nodes.push(toNode(request, reveal));
    return register(request, callback);
  };
  const failures: unknown[] = [];
  await pulumi.runtime.runInPulumiStack(async () => {
    try {
      return { ...((await program()) as object | undefined) };
    } catch (error) {
      failures.push(error);
      return {};
    }
  });
  await untilQuiet(() => nodes.length);
  await pulumi.runtime.disconnect();
  if (failures.length > 0) throw failures[0] as Error;
  return sortedWithoutTwins(nodes);
}

/** Resources register after the statement that makes them: waits until none has come for a few turns. */
async function untilQuiet(count: () => number): Promise<void> {
  for (let quiet = 0, seen = -1; quiet < 10;) {
    await new Promise((resolve) => setImmediate(resolve));
    quiet = seen === count() ? quiet + 1 : 0;
    seen = count();
  }
}

function sortedWithoutTwins(nodes: readonly GraphNode[]): GraphNode[] {
  const key = (node: GraphNode): string => `${node.parent}/${node.type}::${node.name}`;
  const sorted = [...nodes].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const twin = sorted.find((node, index) => index > 0 && key(node) === key(sorted[index - 1]!));
  if (twin) throw new Error(`two resources of one identity: ${key(twin)}`);
  return sorted;
}
