import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request to a stand-in's API. */
export interface ApiCall {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  /** The body as it came. */
  readonly text: string;
  /** The body as JSON; an empty object where it is none. */
  readonly body: Readonly<Record<string, unknown>>;
  /** What the path's pattern captured. */
  readonly parts: readonly string[];
}

/** An answer of a stand-in's API: an object is sent as JSON, a text as it is. */
export interface ApiAnswer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One address of an API. */
export interface Route {
  readonly method: string;
  /** Matched against the whole path, without the query. */
  readonly path: RegExp;
  readonly answer: (call: ApiCall) => ApiAnswer;
}

/** A request that must fail. */
export interface Failure {
  readonly status: number;
  /** @default any */
  readonly method?: string;
  /** Part of the path. @default any */
  readonly path?: string;
  /** How often. @default 1 */
  readonly times?: number;
  /** Whether it is carried out all the same, and only its answer is lost. @default false */
  readonly late?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the API says. @default a few words */
  readonly message?: string;
}

const decoded = (part: string | undefined): string => decodeURIComponent(part ?? "");

function bodyOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** An HTTP API on the loopback address, answered from this process; it can be told to fail. */
export class JsonServer {
  /** What was asked, as `METHOD path`, in order. */
  readonly requests: string[] = [];
  readonly #routes: readonly Route[];
  /** An answer for a caller who may not; undefined lets it through. */
  readonly #guard: (call: ApiCall) => ApiAnswer | undefined;
  readonly #failures: { failure: Failure; left: number }[] = [];
  #server: Server | undefined;
  #url = "";

  constructor(routes: readonly Route[], guard: (call: ApiCall) => ApiAnswer | undefined) {
    this.#routes = routes;
    this.#guard = guard;
  }

  /** Base URL; empty before `serve`. */
  get url(): string {
    return this.#url;
  }

  /** Starts to listen. @returns the base URL */
  async serve(): Promise<string> {
    const server = createServer((request, response) => {
      void this.#answer(request, response);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return this.#url;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    this.#server = undefined;
  }

  /** Makes requests fail: before they do anything, unless the failure is a late one. */
  fail(failure: Failure): void {
    this.#failures.push({ failure, left: failure.times ?? 1 });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await textOf(request);
    const url = new URL(request.url ?? "/", "http://stand-in");
    const { method = "GET", headers } = request;
    this.requests.push(`${method} ${url.pathname}`);
    const { pathname: path, searchParams: query } = url;
    const call = { method, path, query, headers, text, body: bodyOf(text), parts: [] };
    const failed = this.#failed(call);
    const carriedOut = failed === undefined || failed.late ? (this.#guard(call) ?? this.#routed(call)) : undefined;
    const { status = 200, body, headers: sent = {} } = failed?.answer ?? carriedOut ?? {};
    const isText = typeof body === "string";
    response.writeHead(status, { ...(isText ? {} : { "Content-Type": "application/json" }), ...sent });
    response.end(isText ? body : JSON.stringify(body ?? {}));
  }

  #failed({ method, path }: ApiCall): { answer: ApiAnswer; late: boolean } | undefined {
    const entry = this.#failures.find(
      ({ failure, left }) => left > 0 && (failure.method ?? method) === method && path.includes(failure.path ?? ""),
    );
    if (entry === undefined) return undefined;
    entry.left--;
    const { status, headers = {}, message = "the stand-in was told to fail" } = entry.failure;
    return { answer: { status, headers, body: { message } }, late: entry.failure.late ?? false };
  }

  #routed(call: ApiCall): ApiAnswer {
    for (const { method, path, answer } of this.#routes) {
      const match = method === call.method ? path.exec(call.path) : null;
      if (match !== null) return answer({ ...call, parts: match.slice(1).map(decoded) });
    }
    return { status: 404, body: { message: `the stand-in has no ${call.method} ${call.path}` } };
  }
}
