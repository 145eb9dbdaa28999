/** What is read of a pod: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#podstatus-v1-core */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  };
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
      readonly lastTransitionTime?: string;
    }[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

interface Ended {
  readonly exitCode: number;
  readonly reason?: string;
}

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: Ended;
  };
  readonly lastState?: { readonly terminated?: Ended };
}

/** Whether a pod is ready, or has done what it was for. */
export const isReady = ({ status }: Pod): boolean =>
  status?.phase === "Succeeded" ||
  (status?.conditions ?? []).some((condition) => condition.type === "Ready" && condition.status === "True");

/** For how long a pod has not been ready. Seconds; 0 for one that is, or that does not say. */
export function unreadySeconds(pod: Pod): number {
  const ready = (pod.status?.conditions ?? []).find(({ type }) => type === "Ready");
  if (isReady(pod) || ready?.lastTransitionTime === undefined) return 0;
  return Math.max(0, (Date.now() - Date.parse(ready.lastTransitionTime)) / 1000);
}

const endedWith = ({ exitCode, reason }: Ended): string =>
  `ended with ${exitCode}${reason === undefined || reason === "Error" ? "" : ` (${reason})`}`;

/** What is wrong with a container; undefined where nothing is to be seen. */
function containerTrouble({ name, ready, state = {}, lastState = {} }: ContainerStatus): string | undefined {
  const { waiting, terminated } = state;
  if (terminated !== undefined)
    return terminated.exitCode === 0 ? undefined : `container ${name} ${endedWith(terminated)}`;
  const before = lastState.terminated === undefined ? "" : `, last ${endedWith(lastState.terminated)}`;
  if (waiting !== undefined) {
    // These say only that nothing has happened yet.
    if (before === "" && /^(ContainerCreating|PodInitializing)$/.test(waiting.reason ?? "")) return undefined;
    const said = waiting.message === undefined ? "" : `: ${waiting.message}`;
    return `container ${name} waits, ${waiting.reason ?? "for no stated reason"}${said}${before}`;
  }
  return ready ? undefined : `container ${name} runs and is not ready${before}`;
}

/** What keeps a pod from being ready, in one line. */
export function podTrouble(pod: Pod): string {
  const { metadata, spec = {}, status = {} } = pod;
  const unscheduled = (status.conditions ?? []).find(
    ({ type, status: held }) => type === "PodScheduled" && held === "False",
  );
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const found =
    unscheduled === undefined
      ? containers.flatMap((container) => containerTrouble(container) ?? [])
      : [`no node takes it: ${unscheduled.message ?? "no reason is given"}`];
  const where = spec.nodeName === undefined ? "" : ` on ${spec.nodeName}`;
  const what = found.length > 0 ? found.join("; ") : `is being started (${status.phase ?? "no phase"})`;
  return `pod ${metadata.name}${where}: ${what}`;
}
