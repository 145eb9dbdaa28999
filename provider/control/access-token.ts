import { ApiError, Http } from "./http.ts";

/** What an access token of Tailscale's is asked for with. */
export interface TokenRequest {
  readonly path: "/api/v2/oauth/token" | "/api/v2/oauth/token-exchange";
  /** Fields of the form. */
  readonly form: Readonly<Record<string, string>>;
}

/** Yields the header of a request. */
export type Authorization = () => Promise<Readonly<Record<string, string>>>;

/** Tokens are asked for anew this many seconds before they end. */
const MARGIN = 60;

/**
 * Access tokens that an OAuth client, or an identity that Tailscale trusts, gets for an hour: kept until they end.
 * https://tailscale.com/docs/features/oauth-clients, https://tailscale.com/docs/features/workload-identity-federation
 */
export function accessTokens(url: string, request: TokenRequest): Authorization {
  let known: { readonly until: number; readonly token: Promise<string> } | undefined;
  const secrets = Object.values(request.form);
  const http = new Http({ url, authorization: () => Promise.resolve({}), secrets });
  const ask = async (): Promise<string> => {
    const answer = await http.json<{ access_token?: string; expires_in?: number }>({
      method: "POST",
      path: request.path,
      body: new URLSearchParams(request.form).toString(),
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      // Nothing is made that would be there twice.
      repeatable: true,
    });
    const { access_token: token, expires_in: seconds = 3600 } = answer;
    if (token === undefined) throw new ApiError(`POST ${url}${request.path}: the answer holds no access token`, 200);
    known = { until: Date.now() + (seconds - MARGIN) * 1000, token: Promise.resolve(token) };
    return token;
  };
  return async () => {
    if (known === undefined || known.until < Date.now()) {
      const token = ask();
      // Requests that come meanwhile wait for the same token; a failure is not kept.
      known = { until: Date.now() + MARGIN * 1000, token };
      token.catch(() => (known = undefined));
    }
    return { Authorization: `Bearer ${await known.token}` };
  };
}
