import { describe, expect, it } from "vitest";
import { isReady, podTrouble, type Pod } from "../../stacks/pods.ts";

type Status = NonNullable<Pod["status"]>;
type Container = NonNullable<Status["containerStatuses"]>[number];

const pod = (status: Status, nodeName?: string): Pod => ({
  metadata: { name: "web-0", uid: "u-web-0" },
  spec: nodeName === undefined ? {} : { nodeName },
  status,
});
const running = (
  container: Partial<Container>,
  kind: "containerStatuses" | "initContainerStatuses" = "containerStatuses",
) => podTrouble(pod({ phase: "Running", [kind]: [{ name: "web", ready: false, ...container }] }, "n1"));

describe("a pod", () => {
  it("is ready when it says so, or when it has done its work", () => {
    expect(isReady(pod({ phase: "Running", conditions: [{ type: "Ready", status: "True" }] }))).toBe(true);
    expect(isReady(pod({ phase: "Succeeded", conditions: [{ type: "Ready", status: "False" }] }))).toBe(true);
    expect(isReady(pod({ phase: "Running", conditions: [{ type: "Ready", status: "False" }] }))).toBe(false);
    expect(isReady({ metadata: { name: "new", uid: "u-new" } })).toBe(false);
  });
});

describe("what keeps a pod from being ready", () => {
  it("is that no node takes it, with the scheduler's reason", () => {
    const message = "0/3 nodes are available: 3 Insufficient memory.";
    const conditions = [{ type: "PodScheduled", status: "False", message }];
    expect(podTrouble(pod({ phase: "Pending", conditions }))).toBe(`pod web-0: no node takes it: ${message}`);
  });

  it("is an image that is not to be had", () => {
    expect(running({ state: { waiting: { reason: "ImagePullBackOff", message: 'Back-off pulling image "x"' } } })).toBe(
      'pod web-0 on n1: container web waits, ImagePullBackOff: Back-off pulling image "x"',
    );
  });

  it("is a container that ends again and again, with how it ended", () => {
    const lastState = { terminated: { exitCode: 137, reason: "OOMKilled" } };
    expect(running({ state: { waiting: { reason: "CrashLoopBackOff" } }, lastState })).toBe(
      "pod web-0 on n1: container web waits, CrashLoopBackOff, last ended with 137 (OOMKilled)",
    );
  });

  it("is an init container or a job that failed", () => {
    const state = { terminated: { exitCode: 2, reason: "Error" } };
    expect(running({ state }, "initContainerStatuses")).toBe("pod web-0 on n1: container web ended with 2");
  });

  it("is a container that runs and does not pass its readiness probe", () => {
    expect(running({ state: {} })).toBe("pod web-0 on n1: container web runs and is not ready");
  });

  it("is nothing worse than that it is being started", () => {
    expect(running({ state: { waiting: { reason: "ContainerCreating" } } })).toBe(
      "pod web-0 on n1: is being started (Running)",
    );
    expect(podTrouble({ metadata: { name: "new", uid: "u-new" } })).toBe("pod new: is being started (no phase)");
  });
});
