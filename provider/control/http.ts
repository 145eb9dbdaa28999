import { setTimeout as sleep } from "node:timers/promises";

/** A request to a control plane's API. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Path with query, from the base URL on. */
  readonly path: string;
  /** Sent as JSON; a text as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses that are answers and no errors, beside 2xx. @default none */
  readonly fine?: readonly number[];
  /**
   * Whether it may be sent again after an answer that does not tell whether it was carried out (5xx, no answer).
   * @default true for everything but POST
   */
  readonly repeatable?: boolean;
}

/** An answer. */
export interface ApiResponse {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** How requests are sent. */
export interface HttpOptions {
  /** Without a slash at the end. */
  readonly url: string;
  /** Headers that carry the credential, asked for before every request. */
  readonly authorization: () => Promise<Readonly<Record<string, string>>>;
  /** What must never be in an error, even where the API repeats it. @default none */
  readonly secrets?: readonly string[];
  /** @default 30 */
  readonly timeoutSeconds?: number;
  /** Seconds before each further try. @default 1, 3, 8 */
  readonly pauses?: readonly number[];
}

/** An API that said no, or nothing. The text names the request and what the API said; it never holds a credential. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** 0 where no answer came. */
  readonly status: number;
  constructor(text: string, status: number) {
    super(text);
    this.status = status;
  }
}

/** Credentials of Tailscale, headscale and NetBird by their beginnings: an API may quote one. */
const KEYS = /\b(?:tskey-|hskey-|nbp_)[A-Za-z0-9_-]+/g;
const MAX_TEXT = 300;
/** The longest that an API may ask us to wait, in seconds. */
const MAX_PAUSE = 60;

/** The API's own words: the fields in which Tailscale, headscale and NetBird put them; else the beginning of the text. */
function wordsOf(text: string): string {
  try {
    const parsed = JSON.parse(text) as { message?: unknown; error?: unknown; data?: unknown };
    const words = [parsed.message, parsed.error].filter((word) => typeof word === "string" && word !== "");
    const more = parsed.data === undefined || parsed.data === null ? [] : [JSON.stringify(parsed.data)];
    if (words.length > 0) return [...new Set(words as string[]), ...more].join(" ").slice(0, MAX_TEXT);
  } catch {
    // Not JSON: a proxy's page, or plain text.
  }
  return text.replace(/\s+/g, " ").trim().slice(0, MAX_TEXT);
}

/** What goes wrong below HTTP, in words: fetch hides it in `cause`. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  const { cause } = error as { cause?: { code?: unknown; message?: unknown } };
  const told = [cause?.code, cause?.message].filter((part): part is string => typeof part === "string" && part !== "");
  return told[0] === undefined ? error.message : [...new Set(told)].join(": ");
}

const retryable = (status: number): boolean => status === 429 || status >= 500;

/** Speaks JSON to one control plane. */
export class Http {
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** Sends a request and reads JSON. @throws ApiError */
  async json<T>(request: ApiRequest): Promise<T> {
    const { text } = await this.send({ ...request, headers: { Accept: "application/json", ...request.headers } });
    try {
      return JSON.parse(text) as T;
    } catch {
      const said = `${this.#named(request)}: the answer is not JSON, it begins with ${wordsOf(text)}`;
      throw new ApiError(this.#hidden(said), 200);
    }
  }

  /** Sends a request, again where that helps and does no harm. @throws ApiError */
  async send(request: ApiRequest): Promise<ApiResponse> {
    const { pauses = [1, 3, 8] } = this.#options;
    for (let tried = 0; ; tried++) {
      const { response, failure } = await this.#once(request);
      const { fine = [], repeatable = request.method !== "POST" } = request;
      if (response !== undefined && (isOk(response.status) || fine.includes(response.status))) return response;
      const status = response?.status ?? 0;
      const pause = pauses[tried];
      // A refusal for being too fast was not carried out; any other failure may have been.
      const again = status === 429 || ((status === 0 || retryable(status)) && repeatable);
      if (pause === undefined || !again) {
        const said = response === undefined ? (failure ?? "") : `${response.status} ${wordsOf(response.text)}`.trim();
        throw new ApiError(this.#hidden(`${this.#named(request)}: ${said}`), status);
      }
      await sleep(1000 * Math.max(pause, askedPause(response)));
    }
  }

  async #once(request: ApiRequest): Promise<{ response?: ApiResponse; failure?: string }> {
    const { url, authorization, timeoutSeconds = 30 } = this.#options;
    const credential = await authorization();
    const { body } = request;
    try {
      const response = await fetch(`${url}${request.path}`, {
        method: request.method,
        // A redirect would carry the credential to another address.
        redirect: "manual",
        headers: {
          ...(body === undefined || typeof body === "string" ? {} : { "Content-Type": "application/json" }),
          ...request.headers,
          ...credential,
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutSeconds * 1000),
      });
      return { response: { status: response.status, text: await response.text(), headers: response.headers } };
    } catch (error) {
      return { failure: causeOf(error) };
    }
  }

  #hidden(text: string): string {
    const { secrets = [] } = this.#options;
    return secrets
      .filter((secret) => secret !== "")
      .reduce((said, secret) => said.replaceAll(secret, "…"), text)
      .replace(KEYS, "…");
  }

  /** The request in words. Queries are left out: they may carry what is nobody's business. */
  #named({ method, path }: ApiRequest): string {
    return `${method} ${this.#options.url}${path.split("?")[0] ?? ""}`;
  }
}

const isOk = (status: number): boolean => status >= 200 && status < 300;

function askedPause(response: ApiResponse | undefined): number {
  const asked = Number(response?.headers.get("Retry-After") ?? 0);
  return Number.isFinite(asked) ? Math.min(asked, MAX_PAUSE) : 0;
}
