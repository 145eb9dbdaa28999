import { meshProvider } from "./mesh-provider.ts";
import { serveProvider } from "./protocol/serve.ts";

/**
 * The plugin: the engine starts it, reads the port from the first line of its output, and connects. The engine ends
 * it, too; where the engine was killed and cannot, it notices that it has another parent now.
 */
const { port, stop } = await serveProvider(meshProvider());
process.stdout.write(`${port}\n`);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    stop();
    process.exit(0);
  });
}
const engine = process.ppid;
setInterval(() => {
  if (process.ppid !== engine) process.exit(0);
}, 5000).unref();
