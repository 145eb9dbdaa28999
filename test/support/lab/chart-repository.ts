import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { stringify } from "yaml";
import { run } from "./run.ts";

/** A chart repository on this computer, at a port of 127.0.0.1. */
export class ChartRepository {
  readonly #folder: string;
  readonly #server: Server;
  readonly #entries: Record<string, object[]> = {};
  #open = true;

  private constructor(folder: string, server: Server) {
    this.#folder = folder;
    this.#server = server;
  }

  /** @param folder where packed charts are put; it is made */
  static async start(folder: string): Promise<ChartRepository> {
    mkdirSync(folder, { recursive: true });
    const server = createServer();
    const repository = new ChartRepository(folder, server);
    server.on("request", ({ url = "/" }, response) => {
      const name = url.slice(1);
      if (!repository.#open) response.writeHead(503).end();
      else if (name === "index.yaml") response.end(stringify({ apiVersion: "v1", entries: repository.#entries }));
      else if (repository.#files().includes(name)) response.end(readFileSync(join(folder, name)));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return repository;
  }

  /** Its address. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Packs a chart's folder as a version of it. */
  publish(chart: string, name: string, version: string): void {
    const copy = join(this.#folder, version, name);
    cpSync(chart, copy, { recursive: true });
    const about = readFileSync(join(copy, "Chart.yaml"), "utf8");
    writeFileSync(join(copy, "Chart.yaml"), about.replace(/^version: .*$/m, `version: ${version}`));
    const file = `${name}-${version}.tgz`;
    run("tar", ["-czf", join(this.#folder, file), "-C", join(this.#folder, version), name], 60);
    const digest = createHash("sha256")
      .update(readFileSync(join(this.#folder, file)))
      .digest("hex");
    (this.#entries[name] ??= []).push({ apiVersion: "v2", name, version, digest, urls: [`${this.url}/${file}`] });
  }

  /** Lets it answer, or say that it is unavailable. */
  answer(open: boolean): void {
    this.#open = open;
  }

  /** Ends it. */
  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #files(): string[] {
    return Object.values(this.#entries).flatMap((entries) =>
      (entries as { name: string; version: string }[]).map(({ name, version }) => `${name}-${version}.tgz`),
    );
  }
}
