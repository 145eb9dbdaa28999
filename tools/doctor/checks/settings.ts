import type { Evidence } from "../evidence.ts";
import type { Finding } from "../finding.ts";

/** Where the settings are ahead of what runs. */
export const checkSettings = ({ expectations }: Evidence): Finding[] =>
  expectations.differences.map((difference) => ({
    check: "settings",
    text: `the settings are not what runs: ${difference}`,
    fix: "pulumi preview, then pulumi up; or take the change back",
  }));
