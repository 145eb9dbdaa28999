import * as grpc from "@grpc/grpc-js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import pluginMessages from "@pulumi/pulumi/proto/plugin_pb.js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import { EngineLog } from "./engine-log.ts";
import type { Provider } from "./resource-type.ts";
import { ProviderService, type Call } from "./service.ts";

/** A provider that listens. */
export interface ServedProvider {
  readonly provider: Provider;
  /** TCP port on the loopback address. */
  readonly port: number;
  /** Ends it; work under way is aborted. */
  readonly stop: () => void;
  /** Forgets an earlier cancel, for the next run of the engine. */
  readonly renew: () => void;
}

type Answer<Request> = (call: Call<Request>) => object | Promise<object>;

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

function handlers(service: ProviderService, provider: Provider, log: EngineLog): grpc.UntypedServiceImplementation {
  return {
    handshake: handler((call: Call<messages.ProviderHandshakeRequest>) => {
      log.attach(call.request.getEngineAddress());
      const response = new messages.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      return response;
    }),
    attach: handler((call: Call<pluginMessages.PluginAttach>) => {
      log.attach(call.request.getAddress());
      return new empty.Empty();
    }),
    getPluginInfo: handler(() => {
      const info = new pluginMessages.PluginInfo();
      info.setVersion(provider.version);
      return info;
    }),
    checkConfig: handler((call: Call<messages.CheckRequest>) => service.checkConfig(call)),
    diffConfig: handler((call: Call<messages.DiffRequest>) => service.diffConfig(call)),
    configure: handler((call: Call<messages.ConfigureRequest>) => service.configure(call)),
    check: handler((call: Call<messages.CheckRequest>) => service.check(call)),
    diff: handler((call: Call<messages.DiffRequest>) => service.diff(call)),
    create: handler((call: Call<messages.CreateRequest>) => service.create(call)),
    update: handler((call: Call<messages.UpdateRequest>) => service.update(call)),
    delete: handler((call: Call<messages.DeleteRequest>) => service.delete(call)),
    read: handler((call: Call<messages.ReadRequest>) => service.read(call)),
    invoke: handler((call: Call<messages.InvokeRequest>) => service.invoke(call)),
    cancel: handler(() => {
      service.cancel();
      return new empty.Empty();
    }),
  };
}

/**
 * Serves a provider on the loopback address, in this process: the engine finds it by PULUMI_DEBUG_PROVIDERS, or because
 * it started this process itself as a plugin.
 */
export async function serveProvider(provider: Provider): Promise<ServedProvider> {
  // Inputs may carry whole programs and certificates: the same limit as the SDK's own servers.
  const server = new grpc.Server({ "grpc.max_receive_message_length": 400 * 1024 * 1024 });
  const log = new EngineLog();
  const service = new ProviderService(provider, log);
  const definition = (providerService as unknown as { ResourceProviderService: grpc.ServiceDefinition })
    .ResourceProviderService;
  server.addService(definition, handlers(service, provider, log));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    provider,
    port,
    renew: () => {
      service.renew();
    },
    stop: () => {
      service.cancel();
      server.forceShutdown();
      log.close();
    },
  };
}
