import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stationCommandText } from "../../components/host/command-text.ts";
import { scriptFile } from "../../components/host/script-file.ts";
import { programBody } from "../../components/host/script-program.ts";

const script = scriptFile(new URL("../../components/hetzner/scripts/server-protection.sh", import.meta.url));

interface Answer {
  readonly status: number;
  readonly body: object;
}

let api: Server;
let answers: Answer[];
let asked: { line: string; token: string | undefined; body: string }[];

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

beforeEach(async () => {
  [answers, asked] = [[], []];
  api = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const token = request.headers.authorization;
      asked.push({ line: `${request.method ?? ""} ${request.url ?? ""}`, token, body });
      const { status, body: answer } = answers.shift() ?? { status: 500, body: {} };
      response.writeHead(status, { "Content-Type": "application/json" });
      // As the real API does: spread over lines.
      response.end(JSON.stringify(answer, null, 2));
    });
  });
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  api.closeAllConnections();
  api.close();
});

const action = (status: string, error: object | null = null): object => ({
  action: {
    id: 4711,
    command: "change_protection",
    status,
    progress: 0,
    resources: [{ id: 42, type: "server" }],
    error,
  },
});

function run(name: string, token = "t".repeat(64)) {
  const { port } = api.address() as AddressInfo;
  const parameters = { NODE_NAME: "a", SERVER_ID: "42", API_ENDPOINT: `http://127.0.0.1:${port}/v1` };
  const text = stationCommandText({ script: script.name, action: name, parameters });
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    // Without a home there is no .bashrc, which bash reads when its standard input is a socket, as here.
    const env = { PATH: process.env["PATH"], HOME: "/nonexistent", HCLOUD_TOKEN: token };
    const child = spawn("/bin/bash", ["-c", text], { env });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => (output.stdout += String(chunk)));
    child.stderr.on("data", (chunk) => (output.stderr += String(chunk)));
    child.on("close", (code) => {
      resolve({ code, ...output });
    });
    child.stdin.end(programBody(script));
  });
}

describe("the protection of a server", () => {
  test("is set, and waited for", async () => {
    answers = [
      { status: 201, body: action("running") },
      { status: 200, body: action("success") },
    ];
    const stdout = "a is protected against deletion and rebuild\n";
    expect(await run("protect")).toEqual({ code: 0, stdout, stderr: "" });
    const token = `Bearer ${"t".repeat(64)}`;
    expect(asked).toEqual([
      { line: "POST /v1/servers/42/actions/change_protection", token, body: '{"delete": true, "rebuild": true}' },
      { line: "GET /v1/actions/4711", token, body: "" },
    ]);
  });

  test("is lifted", async () => {
    answers = [{ status: 201, body: action("success") }];
    expect(await run("lift")).toMatchObject({ code: 0, stdout: "the protection of a is lifted\n" });
    expect(asked[0]?.body).toBe('{"delete": false, "rebuild": false}');
  });

  test("need not be lifted from a server that is gone, but cannot be set on one", async () => {
    const gone = { status: 404, body: { error: { code: "not_found", message: "server not found", details: null } } };
    answers = [gone, gone];
    expect(await run("lift")).toMatchObject({ code: 0, stdout: "a is gone already\n" });
    expect(await run("protect")).toMatchObject({
      code: 1,
      stderr:
        "the Hetzner Cloud API answered 404 to the protection of a: server not found\nfix: may the token write, and is it one of this project? then run again\n",
    });
  });

  test("is asked for again while another action holds the server", async () => {
    answers = [
      { status: 423, body: { error: { code: "locked", message: "server is locked", details: null } } },
      { status: 201, body: action("success") },
    ];
    expect(await run("lift")).toMatchObject({ code: 0 });
    expect(asked).toHaveLength(2);
  }, 20_000);

  test("fails in words when the action fails, when there is no token, and when it is none", async () => {
    answers = [{ status: 201, body: action("error", { code: "failed", message: "it broke" }) }];
    expect((await run("protect")).stderr).toContain("answered 201 to the protection of a: it broke");
    expect((await run("protect", "")).stderr).toContain(
      "there is no token for the Hetzner Cloud API\nfix: export HCLOUD_TOKEN",
    );
    const { stderr } = await run("protect", 'abc"\nurl = "http://example.net');
    expect(stderr).toContain("holds other characters than letters and digits");
    expect(stderr).not.toContain("example.net");
  });
});
