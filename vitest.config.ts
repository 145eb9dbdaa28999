import { defineConfig } from "vitest/config";

/** The developer's shell must not reach into recorded graphs or simulated runs. */
const quietEnvironment = { KUBECONFIG: "", SSH_AUTH_SOCK: "", PULUMI_CONFIG_PASSPHRASE: "", PULUMI_ACCESS_TOKEN: "" };

const level = (name: string, more: { testTimeout?: number; maxWorkers?: number } = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    env: quietEnvironment,
    hookTimeout: 300_000,
    silent: "passed-only" as const,
    ...more,
  },
});

export default defineConfig({
  test: {
    projects: [
      level("unit"),
      level("components", { testTimeout: 30_000 }),
      level("stacks", { testTimeout: 60_000 }),
      level("engine", { testTimeout: 300_000, maxWorkers: 2 }),
      level("hosts", { testTimeout: 1_200_000, maxWorkers: 1 }),
    ],
  },
});
