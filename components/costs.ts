/** What something costs a month, before taxes. */
export interface MonthlyCost {
  readonly amount: number;
  /** ISO 4217. */
  readonly currency: "EUR" | "USD";
}

/** Sums by currency, to the cent: two currencies are never added up. */
export function sumCosts(costs: readonly MonthlyCost[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { amount, currency } of costs) sums[currency] = Math.round(((sums[currency] ?? 0) + amount) * 100) / 100;
  return Object.fromEntries(Object.entries(sums).sort());
}
