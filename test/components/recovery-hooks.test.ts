import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { recoveryHooks } from "../../components/platform/recovery-hooks.ts";
import type { ReleaseAid } from "../../components/platform/release-aid.ts";
import { noAid } from "../support/no-aid.ts";
import { recordGraph } from "../support/record-graph.ts";

describe("the hooks of a release", () => {
  const locked = "another operation (install/upgrade/rollback) is in progress";
  const late = "context deadline exceeded";
  const failing = (failedOperation: string, errors: readonly string[]) =>
    ({ urn: "u", id: "", name: "n", type: "t", failedOperation, errors }) as never;
  const first = "sh.helm.release.v1.cert-manager.v1";
  const refresh =
    "run pulumi refresh, which takes what Helm has no record of out of the state, and then pulumi up, which installs it";
  const release = { name: "cert-manager", namespace: "cert-manager" };
  const hooks = (aid: Partial<ReleaseAid>) => {
    const { beforeUpdate, afterUpdate, onError } = recoveryHooks("hook", release, pulumi.output("kubeconfig"), {
      ...noAid,
      ...aid,
    });
    const called = (one: unknown) => (one as pulumi.ResourceHook).callback({} as never);
    return {
      before: () => called(beforeUpdate?.[0]),
      after: () => called(afterUpdate?.[0]),
      failed: (...errors: string[]) => onError?.[0]?.callback(failing("update", errors)),
      notMade: (...errors: string[]) => onError?.[0]?.callback(failing("create", errors)),
    };
  };
  let said: string[];
  // Leaves an engine behind that takes hooks.
  beforeAll(async () => {
    await recordGraph(() => undefined);
  });
  beforeEach(() => {
    said = [];
    vi.spyOn(pulumi.log, "warn").mockImplementation((text) => Promise.resolve(void said.push(text)));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it("clear the lock of an interrupted update in the region's own cluster and try again", async () => {
    const clearPending = vi.fn(() =>
      Promise.resolve({ removed: ["sh.helm.release.v1.cert-manager.v2"], recordsLeft: true }),
    );
    expect(await hooks({ clearPending }).failed(`upgrade failed: ${locked}`)).toBe(true);
    expect(clearPending).toHaveBeenCalledExactlyOnceWith("kubeconfig", release);
    expect(said).toEqual([
      "release cert-manager/cert-manager was left half-done by an interrupted update: removed sh.helm.release.v1.cert-manager.v2 and trying again",
    ]);
  });

  it("clear the record of an interrupted first install and try again", async () => {
    const clearPending = () => Promise.resolve({ removed: [first], recordsLeft: false });
    expect(await hooks({ clearPending }).notMade("cannot re-use a name that is still in use")).toBe(true);
  });

  it("say that a refresh is needed where the state has a release and Helm no record of it any more", async () => {
    const clearPending = () => Promise.resolve({ removed: [first], recordsLeft: false });
    expect(await hooks({ clearPending }).failed(locked)).toBe(false);
    expect(await hooks({ clearPending }).failed('"cert-manager" has no deployed releases')).toBe(false);
    expect(said).toEqual([
      `release cert-manager/cert-manager was left half-done by an interrupted update: removed ${first}, which was all that Helm had of it: ${refresh}`,
      `release cert-manager/cert-manager stands in the state, and Helm has nothing of it that it could upgrade: ${refresh}`,
    ]);
  });

  it("leave the failure as it is where the lock cannot be looked at", async () => {
    const clearPending = () => Promise.reject(new Error("the API did not answer GET /api within 15 s"));
    expect(await hooks({ clearPending }).failed(locked)).toBe(false);
    expect(said).toEqual([
      "release cert-manager/cert-manager seems to be held by an interrupted update, and its lock could not be looked at or removed: the API did not answer GET /api within 15 s",
    ]);
  });

  it("do not try again when there was no lock to clear", async () => {
    expect(await hooks({}).failed(locked)).toBe(false);
    expect(said).toEqual([]);
  });

  it("go by the last failure alone", async () => {
    const clearPending = vi.fn(() => Promise.resolve({ removed: ["x"], recordsLeft: true }));
    expect(await hooks({ clearPending }).failed(late, locked)).toBe(false);
    expect(clearPending).not.toHaveBeenCalled();
  });

  it("delete broken pods that hold an update up, again and again while it runs and not after", async () => {
    vi.useFakeTimers();
    const held = [["pod store-0"], [], ["pod store-1"]];
    const deleteHeldPods = vi.fn(() => Promise.resolve(held.shift() ?? []));
    const { before, after } = hooks({ deleteHeldPods });
    await before();
    await vi.advanceTimersByTimeAsync(30_000);
    await after();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(deleteHeldPods).toHaveBeenCalledTimes(3);
    expect(said).toEqual(
      ["store-0", "store-1"].map(
        (pod) =>
          `release cert-manager/cert-manager waited for pod ${pod}, which an earlier update left broken: deleted, so that the new one follows`,
      ),
    );
  });

  it("never look for broken pods twice at once", async () => {
    vi.useFakeTimers();
    let answer: (pods: readonly string[]) => void = () => undefined;
    const deleteHeldPods = vi.fn(() => new Promise<readonly string[]>((resolve) => (answer = resolve)));
    const { before } = hooks({ deleteHeldPods });
    await before();
    await vi.advanceTimersByTimeAsync(35_000);
    expect(deleteHeldPods).toHaveBeenCalledTimes(1);
    answer([]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(deleteHeldPods).toHaveBeenCalledTimes(2);
  });

  it("end a look that is under way with the update, and still tell what it deleted", async () => {
    vi.useFakeTimers();
    const deleteHeldPods: ReleaseAid["deleteHeldPods"] = (_kubeconfig, _release, ended) =>
      new Promise((resolve) => {
        ended.addEventListener("abort", () => {
          resolve(["pod store-0"]);
        });
      });
    const { before, after } = hooks({ deleteHeldPods });
    await before();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(said).toEqual([]);
    await after();
    expect(said).toEqual([expect.stringContaining("waited for pod store-0")]);
  });

  it("look on after a look that failed", async () => {
    vi.useFakeTimers();
    const deleteHeldPods = vi.fn(() => Promise.reject(new Error("the API did not answer")));
    const { before } = hooks({ deleteHeldPods });
    await before();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(deleteHeldPods).toHaveBeenCalledTimes(3);
  });

  it("look for broken pods no more once the update has failed", async () => {
    vi.useFakeTimers();
    const deleteHeldPods = vi.fn(() => Promise.resolve([]));
    const { before, failed } = hooks({ deleteHeldPods });
    await before();
    await failed(late);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(deleteHeldPods).not.toHaveBeenCalled();
  });

  it("say what is wrong with the pods where nothing can be done, and not all of it", async () => {
    const troubles = () => Promise.resolve(Array.from({ length: 8 }, (_, index) => `pod p${index}: wrong`));
    expect(await hooks({ troubles }).failed(late)).toBe(false);
    expect(said.join().split("\n  ")).toEqual([
      "release cert-manager/cert-manager is not ready:",
      ...[0, 1, 2, 3, 4, 5].map((index) => `pod p${index}: wrong`),
      "and 2 more",
    ]);
  });

  it("leave the failure as it is where the cluster cannot be asked", async () => {
    const away = () => Promise.reject(new Error("the API did not answer"));
    expect(await hooks({ troubles: away }).failed(late)).toBe(false);
    expect(said).toEqual([]);
  });
});
