import { isDeepStrictEqual } from "node:util";
import type * as grpc from "@grpc/grpc-js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import type { EngineLog } from "./engine-log.ts";
import { checkAnswer, configureAnswer, differenceAnswer, outputsAnswer, readAnswer } from "./messages.ts";
import type { Difference, Operation, Provider, ResourceType, Step } from "./resource-type.ts";
import { changedNames, receive, send, UNKNOWN, valueAt, type Values } from "./wire.ts";

/** One request of the engine. */
export type Call<Request> = grpc.ServerUnaryCall<Request, unknown>;

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);
const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").at(-1) ?? "";
const seconds = (timeout: number): number | undefined => (timeout > 0 ? timeout : undefined);
const unknowns = (type: ResourceType): Values => Object.fromEntries(type.computed.map((name) => [name, UNKNOWN]));

/** The service behind one provider: the engine's protocol on one side, {@link ResourceType} on the other. */
export class ProviderService {
  readonly #provider: Provider;
  readonly #log: EngineLog;
  readonly #types: ReadonlyMap<string, ResourceType>;
  /** One connection is one provider instance: each has its own configuration. */
  readonly #configurations = new Map<string, Values>();
  #abort = new AbortController();

  constructor(provider: Provider, log: EngineLog) {
    this.#provider = provider;
    this.#log = log;
    this.#types = new Map(provider.types.map((type) => [type.token, type]));
  }

  cancel(): void {
    this.#abort.abort(new Error("cancelled"));
  }

  renew(): void {
    if (this.#abort.signal.aborted) this.#abort = new AbortController();
  }

  /**
   * The configuration of the instance that a call belongs to. The engine opens another connection once one was idle for
   * half an hour, and does not configure it again: where there is one instance alone, the call is for that one.
   */
  #configurationOf(peer: string): Values {
    const known = this.#configurations.get(peer);
    if (known !== undefined) return known;
    const [only, ...others] = new Map(
      [...this.#configurations.values()].map((one) => [JSON.stringify(one), one]),
    ).values();
    return only !== undefined && others.length === 0 ? only : {};
  }

  #type(urn: string): ResourceType {
    const type = this.#types.get(typeOf(urn)) ?? this.#provider.otherTypes?.(typeOf(urn));
    if (type !== undefined) return type;
    throw new Error(`the provider ${this.#provider.name} that runs here knows no resource type ${typeOf(urn)}`);
  }

  #operation(
    call: Call<{ getUrn: () => string; getTimeout?: () => number }>,
    parts: Pick<Operation, "inputs" | "olds" | "id">,
  ): Operation {
    const urn = call.request.getUrn();
    return {
      ...parts,
      urn,
      name: nameOf(urn),
      configuration: this.#configurationOf(call.getPeer()),
      timeoutSeconds: seconds(call.request.getTimeout?.() ?? 0),
      signal: this.#abort.signal,
      say: (text) => {
        this.#log.send("status", urn, text);
      },
      note: (text) => {
        this.#log.send("note", urn, text);
      },
      warn: (text) => {
        this.#log.send("warning", urn, text);
      },
    };
  }

  async #before({ urn, name, signal }: Operation, action: Step["action"]): Promise<void> {
    await this.#provider.before?.({ type: typeOf(urn), name, action, signal });
  }

  check(call: Call<messages.CheckRequest>): object {
    const type = this.#type(call.request.getUrn());
    const news = receive(call.request.getNews());
    const inputs = { ...type.defaults, ...news.values };
    return checkAnswer(inputs, news.secrets, type.check?.(inputs) ?? {});
  }

  checkConfig(call: Call<messages.CheckRequest>): object {
    const { values, secrets } = receive(call.request.getNews());
    return checkAnswer(values, secrets, this.#provider.checkConfiguration?.(values) ?? {});
  }

  async diff(call: Call<messages.DiffRequest>): Promise<object> {
    const type = this.#type(call.request.getUrn());
    const olds = receive(call.request.getOlds()).values;
    const oldInputs = receive(call.request.getOldInputs() ?? call.request.getOlds()).values;
    const news = receive(call.request.getNews()).values;
    const changed = changedNames(oldInputs, news);
    const replaces =
      type.replaceOn === "all"
        ? changed
        : type.replaceOn.filter((path) => !isDeepStrictEqual(valueAt(oldInputs, path), valueAt(news, path)));
    const usual: Difference = { changed, replaces };
    if (type.diff === undefined) return differenceAnswer(usual);
    const operation = this.#operation(call, { inputs: news, olds, id: call.request.getId() });
    return differenceAnswer(await type.diff(operation, usual));
  }

  diffConfig(call: Call<messages.DiffRequest>): object {
    const olds = receive(call.request.getOldInputs() ?? call.request.getOlds()).values;
    const news = receive(call.request.getNews()).values;
    const replaces = this.#provider.replacesProvider?.(olds, news) ?? [];
    return differenceAnswer({ changed: changedNames(olds, news), replaces });
  }

  configure(call: Call<messages.ConfigureRequest>): object {
    this.#configurations.set(call.getPeer(), receive(call.request.getArgs()).values);
    return configureAnswer();
  }

  async create(call: Call<messages.CreateRequest>): Promise<object> {
    const type = this.#type(call.request.getUrn());
    const received = receive(call.request.getProperties());
    const response = new messages.CreateResponse();
    if (call.request.getPreview()) {
      response.setProperties(outputsAnswer(received, unknowns(type), type.secretOutputs));
      return response;
    }
    const operation = this.#operation(call, { inputs: received.values, olds: received.values, id: "" });
    await this.#before(operation, "create");
    const { id, outputs } = await type.create(operation);
    response.setId(id);
    response.setProperties(outputsAnswer(received, outputs, type.secretOutputs));
    return response;
  }

  async update(call: Call<messages.UpdateRequest>): Promise<object> {
    const type = this.#type(call.request.getUrn());
    const received = receive(call.request.getNews());
    const olds = receive(call.request.getOlds()).values;
    const kept = Object.fromEntries(
      type.computed.flatMap((name) => (name in olds ? [[name, olds[name] ?? null]] : [])),
    );
    const operation = this.#operation(call, { inputs: received.values, olds, id: call.request.getId() });
    const response = new messages.UpdateResponse();
    if (call.request.getPreview()) {
      const { computedOnUpdate = false } = type;
      const anew = typeof computedOnUpdate === "function" ? await computedOnUpdate(operation) : computedOnUpdate;
      response.setProperties(outputsAnswer(received, anew ? unknowns(type) : kept, type.secretOutputs));
      return response;
    }
    await this.#before(operation, "update");
    const outputs = (await type.update?.(operation)) ?? kept;
    response.setProperties(outputsAnswer(received, outputs, type.secretOutputs));
    return response;
  }

  async delete(call: Call<messages.DeleteRequest>): Promise<object> {
    const type = this.#type(call.request.getUrn());
    const olds = receive(call.request.getProperties()).values;
    const inputs = receive(call.request.getOldInputs()).values;
    const operation = this.#operation(call, { inputs, olds, id: call.request.getId() });
    await this.#before(operation, "delete");
    await type.delete?.(operation);
    return new empty.Empty();
  }

  async read(call: Call<messages.ReadRequest>): Promise<object> {
    const type = this.#type(call.request.getUrn());
    const [id, properties, given] = [call.request.getId(), call.request.getProperties(), call.request.getInputs()];
    if (type.read === undefined)
      return readAnswer(id, { properties: properties ?? send({}), inputs: given ?? send({}) });
    const [state, inputs] = [receive(properties), receive(given)];
    const found = await type.read(this.#operation(call, { inputs: inputs.values, olds: state.values, id }));
    return readAnswer(
      id,
      found && {
        properties: outputsAnswer(state, found.outputs, type.secretOutputs),
        inputs: send(found.inputs ?? inputs.values, inputs.secrets),
      },
    );
  }

  invoke(call: Call<messages.InvokeRequest>): object {
    const token = call.request.getTok();
    const answer = this.#provider.functions?.[token];
    if (answer === undefined)
      throw new Error(`the provider ${this.#provider.name} that runs here knows no function ${token}`);
    const response = new messages.InvokeResponse();
    response.setReturn(send(answer(receive(call.request.getArgs()).values), []));
    return response;
  }
}
