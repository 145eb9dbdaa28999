import * as grpc from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/engine_pb.js";

/** How a line is shown: beside the resource while its step runs, or in the run's output for good, plain or as a warning. */
export type LogKind = "status" | "note" | "warning";

interface EngineClient {
  log(request: messages.LogRequest, callback: (error: Error | null) => void): void;
  close(): void;
}

/** The way back to the engine: lines for the person who waits. Silent until the engine has said where it listens. */
export class EngineLog {
  #client: EngineClient | undefined;

  /** Speaks to the engine at this address from now on. */
  attach(address: string): void {
    this.close();
    const Client = engineService.EngineClient as unknown as new (
      address: string,
      credentials: grpc.ChannelCredentials,
    ) => EngineClient;
    this.#client = new Client(address, grpc.credentials.createInsecure());
  }

  /** Sends a line about a resource. A line that cannot be sent is lost: it must not fail the step. */
  send(kind: LogKind, urn: string, text: string): void {
    const request = new messages.LogRequest();
    const { INFO, WARNING } = messages.LogSeverity;
    request.setSeverity(kind === "warning" ? WARNING : INFO);
    request.setEphemeral(kind === "status");
    request.setUrn(urn);
    request.setMessage(text);
    this.#client?.log(request, () => undefined);
  }

  /** Ends the connection. */
  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}
