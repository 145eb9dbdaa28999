import type { ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ClusterApi } from "../../stacks/cluster-api.ts";
import { useApiServer } from "../support/api-server.ts";

const PODS = "/api/v1/namespaces/web/pods";
const pod = { name: "web-0", uid: "u-1" };

/** Begins an answer whose end never comes. */
const begin = (response: ServerResponse): void => {
  response.writeHead(200, { "content-length": "1000" });
  response.write('{"items":[');
};

describe("the API of a cluster", () => {
  const serve = useApiServer();
  const answering = async (status: number, text: string) => {
    const seen: string[] = [];
    const kubeconfig = await serve((request, response, body) => {
      const { subject } = (request.socket as unknown as Pick<TLSSocket, "getPeerCertificate">).getPeerCertificate();
      seen.push([subject.CN, request.method, request.url, body].join(" ").trim());
      response.writeHead(status).end(text);
    });
    return { api: new ClusterApi(kubeconfig), seen };
  };

  it("is asked as the administrator, and gives the items of a list", async () => {
    const { api, seen } = await answering(200, '{"items":["a","b"]}');
    expect(await api.list(PODS, { limit: "2" })).toEqual(["a", "b"]);
    expect(seen).toEqual([`admin GET ${PODS}?limit=2`]);
  });

  it("deletes one object and never another one of its name", async () => {
    const { api, seen } = await answering(200, "{}");
    expect(await api.delete(PODS, pod)).toBe(true);
    expect(seen).toEqual([`admin DELETE ${PODS}/web-0 {"preconditions":{"uid":"u-1"}}`]);
  });

  it.each([404, 409])("does not count as deleted what was gone already (%i)", async (status) => {
    expect(await (await answering(status, "{}")).api.delete(PODS, pod)).toBe(false);
  });

  it("says what was refused", async () => {
    const { api } = await answering(403, "{}");
    await expect(api.list(PODS)).rejects.toThrow(`the API answered GET ${PODS} with 403`);
    await expect(api.delete(PODS, pod)).rejects.toThrow(`the API answered DELETE ${PODS}/web-0 with 403`);
  });

  it("says that nobody answers", async () => {
    const nowhere = (await serve(() => undefined)).replace(/127\.0\.0\.1:\d+/, "127.0.0.1:1");
    const asked = new ClusterApi(nowhere).list(PODS);
    await expect(asked).rejects.toThrow(`the API did not answer GET ${PODS}: connect ECONNREFUSED`);
  });

  it("fails when an answer is cut off half-way", async () => {
    const kubeconfig = await serve((_request, response) => {
      begin(response);
      setTimeout(() => response.destroy(), 50);
    });
    await expect(new ClusterApi(kubeconfig).list(PODS)).rejects.toThrow(`the API did not answer GET ${PODS}: aborted`);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ["is silent", () => undefined],
    ["stops half-way", begin],
    [
      "trickles",
      async (response) => {
        begin(response);
        while (!response.destroyed) {
          response.write(" ");
          await sleep(20);
        }
      },
    ],
  ])("fails in time when an answer %s", async (_, answer) => {
    const kubeconfig = await serve((_request, response) => {
      answer(response);
    });
    const asked = new ClusterApi(kubeconfig, 300).list(PODS);
    await expect(asked).rejects.toThrow(`the API did not answer GET ${PODS} within 0.3 s`);
  });
});
