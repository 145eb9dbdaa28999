/** What the catalogue of server types records. */
interface Recorded {
  readonly source: string;
  readonly date: string;
  readonly prices: string;
  readonly types: Readonly<Record<string, object>>;
}

/** A server type as the API describes it. https://docs.hetzner.cloud/reference/cloud#server-types-list-all-server-types */
export interface ApiServerType {
  readonly name: string;
  readonly cores: number;
  readonly memory: number;
  readonly disk: number;
  readonly architecture: string;
  readonly locations: readonly { readonly name: string }[];
  readonly prices: readonly { readonly location: string; readonly price_monthly: { readonly net: string } }[];
}

const SOURCE = "https://api.hetzner.cloud/v1/server_types";

/**
 * The text of components/hetzner/server-types.json after what the API says: types that are gone stay, for machines may
 * still be of them; new ones are added. A price is the lowest of all locations.
 * @param text the file as it is
 * @param date such as `2026-11-25`
 */
export function recordServerTypes(text: string, found: readonly ApiServerType[], date: string): string {
  const recorded = JSON.parse(text) as Recorded;
  const asked = found.map(({ name, cores, memory, disk, architecture, locations, prices }) => [
    name,
    {
      cpus: cores,
      memoryGiB: memory,
      diskGiB: disk,
      architecture,
      locations: locations.map((location) => location.name),
      monthlyEur: Math.round(Math.min(...prices.map((price) => Number(price.price_monthly.net))) * 100) / 100,
    },
  ]);
  const types = { ...recorded.types, ...(Object.fromEntries(asked) as Record<string, object>) };
  const written = { source: SOURCE, date, prices: `what the API said on ${date}, without VAT`, types };
  // Lists on one line each, as the formatter has them.
  const list = (whole: string): string => JSON.stringify(JSON.parse(whole)).replaceAll(",", ", ");
  return `${JSON.stringify(written, null, 2).replaceAll(/\[[^\]]*\]/g, list)}\n`;
}

/**
 * Asks the API for all server types.
 * @param token of any project; it only reads
 * @throws Error if the API refuses or does not answer
 */
export async function askServerTypes(token: string): Promise<readonly ApiServerType[]> {
  const response = await fetch(`${SOURCE}?per_page=50`, { headers: { Authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${SOURCE} answered ${response.status}`);
  return ((await response.json()) as { server_types: readonly ApiServerType[] }).server_types;
}
