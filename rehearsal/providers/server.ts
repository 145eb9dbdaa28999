import { isDeepStrictEqual } from "node:util";
import * as grpc from "@grpc/grpc-js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import pluginMessages from "@pulumi/pulumi/proto/plugin_pb.js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import { ApiStatus } from "../world/faults.ts";
import type { Disturb, Operation, StandIn, StandInType } from "./stand-in.ts";
import { changedNames, receive, valueAt, send, UNKNOWN, type Received, type Values } from "./wire.ts";

/** A stand-in that listens. */
export interface RunningStandIn {
  readonly standIn: StandIn;
  /** TCP port on the loopback address. */
  readonly port: number;
  /** Ends it; work under way is aborted. */
  readonly stop: () => void;
  /** Forgets an earlier cancel, for the next run of the engine. */
  readonly renew: () => void;
}

type Call<Request> = grpc.ServerUnaryCall<Request, unknown>;
type Answer<Request> = (call: Call<Request>) => object | Promise<object>;

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);
const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").at(-1) ?? "";
const seconds = (timeout: number): number | undefined => (timeout > 0 ? timeout : undefined);

/** Turns a function that returns or throws into a gRPC handler. */
const handler =
  <Request>(answer: Answer<Request>): grpc.handleUnaryCall<Request, unknown> =>
  (call, callback) => {
    // The engine wraps what the handler throws; only the message reaches the user, as with a real provider.
    Promise.resolve()
      .then(() => answer(call))
      .then(
        (response) => callback(null, response),
        (error: unknown) =>
          callback({
            code: grpc.status.UNKNOWN,
            details: error instanceof Error ? error.message : String(error),
          }),
      );
  };

/** The service behind one stand-in: the engine's protocol on one side, {@link StandInType} on the other. */
class StandInService {
  readonly #standIn: StandIn;
  readonly #disturb: Disturb;
  readonly #types: ReadonlyMap<string, StandInType>;
  /** One connection is one provider instance: each has its own configuration. */
  readonly #configurations = new Map<string, Values>();
  #abort = new AbortController();

  constructor(standIn: StandIn, disturb: Disturb) {
    this.#standIn = standIn;
    this.#disturb = disturb;
    this.#types = new Map(standIn.types.map((type) => [type.token, type]));
  }

  cancel(): void {
    this.#abort.abort(new Error("cancelled"));
  }

  renew(): void {
    if (this.#abort.signal.aborted) this.#abort = new AbortController();
  }

  #type(urn: string): StandInType {
    const type = this.#types.get(typeOf(urn));
    if (type !== undefined) return type;
    throw new Error(`the rehearsal has no stand-in for ${typeOf(urn)} (provider ${this.#standIn.name})`);
  }

  #operation(
    call: Call<{ getUrn: () => string; getTimeout: () => number }>,
    parts: Pick<Operation, "inputs" | "olds" | "id">,
  ): Operation {
    const urn = call.request.getUrn();
    return {
      ...parts,
      urn,
      name: nameOf(urn),
      configuration: this.#configurations.get(call.getPeer()) ?? {},
      timeoutSeconds: seconds(call.request.getTimeout()),
      signal: this.#abort.signal,
    };
  }

  async #disturbed(operation: Operation, action: "create" | "update" | "delete"): Promise<void> {
    const step = { type: typeOf(operation.urn), name: operation.name, action, signal: operation.signal };
    for (let failed = 0; ; failed++) {
      try {
        await this.#disturb(step);
        return;
      } catch (error) {
        const retries = error instanceof ApiStatus ? (this.#standIn.retries?.[error.status] ?? 0) : 0;
        if (failed >= retries) throw error;
      }
    }
  }

  check(call: Call<messages.CheckRequest>): object {
    const type = this.#type(call.request.getUrn());
    const news = receive(call.request.getNews());
    const inputs = { ...type.defaults, ...news.values };
    const response = new messages.CheckResponse();
    response.setInputs(send(inputs, news.secrets));
    response.setFailuresList(
      Object.entries(type.check?.(inputs) ?? {}).map(([property, reason]) => {
        const failure = new messages.CheckFailure();
        failure.setProperty(property);
        failure.setReason(reason);
        return failure;
      }),
    );
    return response;
  }

  diff(call: Call<messages.DiffRequest>): object {
    const type = this.#type(call.request.getUrn());
    const olds = receive(call.request.getOldInputs() ?? call.request.getOlds()).values;
    const news = receive(call.request.getNews()).values;
    const changed = changedNames(olds, news);
    const replaces =
      type.replaceOn === "all"
        ? changed
        : type.replaceOn.filter((path) => !isDeepStrictEqual(valueAt(olds, path), valueAt(news, path)));
    return this.#difference(changed, replaces);
  }

  #difference(changed: readonly string[], replaces: readonly string[]): object {
    const response = new messages.DiffResponse();
    const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
    response.setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE);
    response.setDiffsList([...changed]);
    response.setReplacesList([...replaces]);
    return response;
  }

  diffConfig(call: Call<messages.DiffRequest>): object {
    const olds = receive(call.request.getOldInputs() ?? call.request.getOlds()).values;
    const news = receive(call.request.getNews()).values;
    return this.#difference(changedNames(olds, news), this.#standIn.replacesProvider?.(olds, news) ?? []);
  }

  configure(call: Call<messages.ConfigureRequest>): object {
    this.#configurations.set(call.getPeer(), receive(call.request.getArgs()).values);
    const response = new messages.ConfigureResponse();
    response.setAcceptsecrets(true);
    response.setAcceptresources(false);
    response.setAcceptoutputs(false);
    response.setSupportspreview(true);
    return response;
  }

  async create(call: Call<messages.CreateRequest>): Promise<object> {
    const type = this.#type(call.request.getUrn());
    const received = receive(call.request.getProperties());
    const response = new messages.CreateResponse();
    if (call.request.getPreview()) {
      response.setProperties(this.#outputs(type, received, unknowns(type)));
      return response;
    }
    const operation = this.#operation(call, { inputs: received.values, olds: received.values, id: "" });
    await this.#disturbed(operation, "create");
    const { id, outputs } = await type.create(operation);
    response.setId(id);
    response.setProperties(this.#outputs(type, received, outputs));
    return response;
  }

  async update(call: Call<messages.UpdateRequest>): Promise<object> {
    const type = this.#type(call.request.getUrn());
    const received = receive(call.request.getNews());
    const olds = receive(call.request.getOlds()).values;
    const kept = Object.fromEntries(
      type.computed.flatMap((name) => (name in olds ? [[name, olds[name] ?? null]] : [])),
    );
    const response = new messages.UpdateResponse();
    if (call.request.getPreview()) {
      response.setProperties(this.#outputs(type, received, type.computedOnUpdate === true ? unknowns(type) : kept));
      return response;
    }
    const operation = this.#operation(call, { inputs: received.values, olds, id: call.request.getId() });
    await this.#disturbed(operation, "update");
    const outputs = (await type.update?.(operation)) ?? kept;
    response.setProperties(this.#outputs(type, received, outputs));
    return response;
  }

  async delete(call: Call<messages.DeleteRequest>): Promise<object> {
    const type = this.#type(call.request.getUrn());
    const olds = receive(call.request.getProperties()).values;
    const inputs = receive(call.request.getOldInputs()).values;
    const operation = this.#operation(call, { inputs, olds, id: call.request.getId() });
    await this.#disturbed(operation, "delete");
    await type.delete?.(operation);
    return new empty.Empty();
  }

  read(call: Call<messages.ReadRequest>): object {
    const response = new messages.ReadResponse();
    response.setId(call.request.getId());
    response.setProperties(call.request.getProperties());
    response.setInputs(call.request.getInputs());
    return response;
  }

  /** Inputs come back as outputs, and what came as a secret stays one. */
  #outputs(type: StandInType, received: Received, outputs: Values) {
    return send({ ...received.values, ...outputs }, [...received.secrets, ...(type.secretOutputs ?? [])]);
  }
}

const unknowns = (type: StandInType): Values => Object.fromEntries(type.computed.map((name) => [name, UNKNOWN]));

function handlers(service: StandInService, standIn: StandIn): grpc.UntypedServiceImplementation {
  const echoConfig = (call: Call<messages.CheckRequest>): object => {
    const response = new messages.CheckResponse();
    response.setInputs(call.request.getNews());
    return response;
  };
  return {
    handshake: handler(() => {
      const response = new messages.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      return response;
    }),
    attach: handler(() => new empty.Empty()),
    getPluginInfo: handler(() => {
      const info = new pluginMessages.PluginInfo();
      info.setVersion(standIn.version);
      return info;
    }),
    checkConfig: handler(echoConfig),
    diffConfig: handler((call: Call<messages.DiffRequest>) => service.diffConfig(call)),
    configure: handler((call: Call<messages.ConfigureRequest>) => service.configure(call)),
    check: handler((call: Call<messages.CheckRequest>) => service.check(call)),
    diff: handler((call: Call<messages.DiffRequest>) => service.diff(call)),
    create: handler((call: Call<messages.CreateRequest>) => service.create(call)),
    update: handler((call: Call<messages.UpdateRequest>) => service.update(call)),
    delete: handler((call: Call<messages.DeleteRequest>) => service.delete(call)),
    read: handler((call: Call<messages.ReadRequest>) => service.read(call)),
    invoke: handler((call: Call<messages.InvokeRequest>) => {
      const answer = standIn.functions?.[call.request.getTok()];
      if (answer === undefined) {
        throw new Error(`the rehearsal has no behaviour for the function ${call.request.getTok()}`);
      }
      const response = new messages.InvokeResponse();
      response.setReturn(send(answer(receive(call.request.getArgs()).values), []));
      return response;
    }),
    cancel: handler(() => {
      service.cancel();
      return new empty.Empty();
    }),
  };
}

/**
 * Serves a stand-in in this process; the engine attaches to it by PULUMI_DEBUG_PROVIDERS instead of starting a plugin.
 * @param disturb called before every step that changes something
 */
export async function serveStandIn(standIn: StandIn, disturb: Disturb): Promise<RunningStandIn> {
  // Inputs may carry whole programs and certificates: the same limit as the SDK's own servers.
  const server = new grpc.Server({ "grpc.max_receive_message_length": 400 * 1024 * 1024 });
  const service = new StandInService(standIn, disturb);
  const definition = (providerService as unknown as { ResourceProviderService: grpc.ServiceDefinition })
    .ResourceProviderService;
  server.addService(definition, handlers(service, standIn));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    standIn,
    port,
    renew: () => {
      service.renew();
    },
    stop: () => {
      service.cancel();
      server.forceShutdown();
    },
  };
}
