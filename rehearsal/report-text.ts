import { succeeded, type EditReport, type Failure, type GuardrailOutcome, type RehearsalReport } from "./report.ts";

/** Said before anything else: nobody may take a rehearsal for an update. */
export function banner(stack: string, engine: string): string {
  return [
    "━━ SIMULATED ━━ rehearsal of " + stack,
    `real       the Pulumi engine (${engine}), the program, the settings in Pulumi.${stack}.yaml, the order of steps, keys and certificates`,
    "simulated  every host, SSH session, k3s, etcd and Helm release; encrypted settings are placeholders; nothing leaves this computer",
  ].join("\n");
}

const counted = (steps: RehearsalReport["steps"]): string => {
  const parts = Object.entries(steps).filter(([, count]) => count > 0);
  return parts.length === 0 ? "nothing to do" : parts.map(([op, count]) => `${count} to ${op}`).join(", ");
};

const secondPreview = (value: RehearsalReport["secondPreview"]): string => {
  if (typeof value === "string") return value;
  return `NOT CLEAN, it would still:\n${value.map((line) => `    ${line}`).join("\n")}`;
};

const seconds = (value: number): string => `${Math.round(value * 10) / 10} s`;

function pathLines({
  criticalPath,
  simulatedSeconds,
}: Pick<EditReport, "criticalPath" | "simulatedSeconds">): string[] {
  if (criticalPath.length === 0) return [];
  const width = Math.max(...criticalPath.map(({ name }) => name.length));
  return [
    `critical path: about ${simulatedSeconds} s, without downloads (simulated, from measured and estimated durations)`,
    ...criticalPath.map((part) => `    ${part.name.padEnd(width)}  ${seconds(part.seconds)}`),
  ];
}

function guardrailLines(guardrails: readonly GuardrailOutcome[]): string[] {
  return guardrails
    .filter(({ outcome }) => outcome !== "refused")
    .map(({ id, outcome, message, reason }) =>
      outcome === "accepted" ? `guardrail ${id} accepted (${reason}): ${message}` : `guardrail ${id} warns: ${message}`,
    );
}

/** What guardrails said stands above already. */
const warningLines = (warnings: readonly string[]): string[] =>
  warnings.filter((line) => !line.startsWith("guardrail ")).map((line) => `warning: ${line}`);

function costLines({ machines, sum }: RehearsalReport["costs"]): string[] {
  const total = Object.entries(sum).map(([currency, amount]) => `${amount} ${currency}`);
  if (total.length === 0) return [];
  const each = machines.map(({ name, amount, currency }) => `${name} ${amount} ${currency}`).join(", ");
  return [`costs: ${total.join(" and ")} a month by the catalogues, before taxes and traffic (${each})`];
}

const failureLines = (failure: Failure | undefined): string[] =>
  failure === undefined
    ? []
    : [`${failure.phase} FAILED:`, ...failure.message.split("\n").map((line) => `    ${line}`)];

function editLines(edit: EditReport): string[] {
  return [
    "",
    `edit ${edit.name}: ${counted(edit.steps)}`,
    ...edit.resources.map(({ op, name, type }) => `    ${op.padEnd(7)} ${name}  (${type})`),
    ...(edit.order.length === 0 ? [] : [`finished in this order: ${edit.order.join(" → ")}`]),
    ...pathLines(edit),
    `second preview: ${secondPreview(edit.secondPreview)}`,
    ...guardrailLines(edit.guardrails),
    ...warningLines(edit.warnings),
    ...failureLines(edit.failure),
  ];
}

function firstLines(report: RehearsalReport): string[] {
  if (report.order.length === 0) return [];
  return [
    `first update: ${counted(report.steps)}`,
    `finished in this order: ${report.order.join(" → ")}`,
    ...pathLines(report),
    `second preview: ${secondPreview(report.secondPreview)}`,
  ];
}

/** The report as a person reads it. */
export function reportText(report: RehearsalReport): string {
  const nodes = report.nodes.map(({ name, role, site }) => `${name} (${role}, ${site})`).join(", ");
  const failedInEdit = report.edits.some(({ failure }) => failure !== undefined);
  return [
    `nodes: ${nodes === "" ? "none: the settings do not hold together" : nodes}`,
    ...report.releases.map(({ name, version, namespace }) => `release: ${name} ${version} in namespace ${namespace}`),
    ...firstLines(report),
    ...guardrailLines(report.guardrails),
    ...warningLines(report.warnings),
    ...costLines(report.costs),
    ...report.publicRules.map(({ machine, port, step }) => `open to the world: ${machine} ${port}, since ${step}`),
    ...report.edits.flatMap(editLines),
    ...(report.destroy === undefined ? [] : ["", `destroy: ${counted(report.destroy.steps)}`, ...report.destroy.left]),
    ...(failedInEdit ? [] : failureLines(report.failure)),
    "",
    `providers: ${Object.entries(report.plugins)
      .map(([name, description]) => `${name}: ${description}`)
      .join(" · ")}`,
    `${succeeded(report) ? "rehearsed" : "NOT GOOD"}: ${report.stack} in ${seconds(report.seconds)}, SIMULATED: no host was touched`,
  ].join("\n");
}
