// Prints every guardrail as the Markdown table of docs/guardrails.md.
import { guardrailTable } from "../stacks/guardrails.ts";

console.log(guardrailTable());
