import { IMAGES } from "./images.ts";
import { yamlText } from "../yaml-text.ts";

/** The system that a Lima host runs: it decides the hypervisor. */
export type HostSystem = "macos" | "linux";
/** How the VMs of a host reach each other. */
export type LimaNetwork = "shared" | "user-v2";

/** What a VM is. */
export interface LimaVm {
  readonly hostSystem: HostSystem;
  readonly network: LimaNetwork;
  /** A name of {@link IMAGES}. */
  readonly image: string;
  readonly cpus: number;
  readonly memoryGiB: number;
  readonly diskGiB: number;
  /** Name of a Lima disk for data. @default none */
  readonly dataDisk?: string;
  /** Port of this VM's sshd on the host's loopback address. @default any free one */
  readonly sshPort?: number;
  /** Whether TCP 6443 of the VM is TCP 6443 of the host's loopback address. @default false */
  readonly forwardApi?: boolean;
}

/** The oldest Lima whose YAML and commands we use. https://github.com/lima-vm/lima/releases/tag/v2.0.0 */
export const LEAST_LIMA = "2.0.0";

/** vz is faster and what Lima itself takes on macOS; Linux has KVM by QEMU. */
const VM_TYPE: Readonly<Record<HostSystem, string>> = { macos: "vz", linux: "qemu" };

/** The interface that a VM has its address on, as Lima names it. https://lima-vm.io/docs/config/network/ */
export const GUEST_INTERFACE: Readonly<Record<LimaNetwork, string>> = { shared: "lima0", "user-v2": "eth0" };

/**
 * Where `limactl` on the host comes from, as a VM sees it: the gateway of the user-mode network that every VM of `shared`
 * has to itself beside the one it shares. On `user-v2` it is the gateway inside the LAN.
 * https://lima-vm.io/docs/config/network/user/
 */
export const LIMA_HOST = "192.168.5.2";

/** A VM's size as the node's annotation and messages say it. */
export const shapeOf = ({ cpus, memoryGiB, diskGiB }: Pick<LimaVm, "cpus" | "memoryGiB" | "diskGiB">): string =>
  `${cpus} CPUs, ${memoryGiB} GiB, ${diskGiB} GiB disk`;

/**
 * The VM's YAML. Nothing of the host is mounted, no container runtime is installed beside k3s's own, and the VM is a
 * plain one: Lima's agent in the guest would forward every port that a pod listens on to the host.
 * https://lima-vm.io/docs/config/plain/
 */
export function vmYaml(vm: LimaVm): string {
  return yamlText({
    minimumLimaVersion: LEAST_LIMA,
    vmType: VM_TYPE[vm.hostSystem],
    plain: true,
    images: IMAGES[vm.image] ?? [],
    cpus: vm.cpus,
    memory: `${vm.memoryGiB}GiB`,
    disk: `${vm.diskGiB}GiB`,
    mounts: [],
    containerd: { system: false, user: false },
    networks: [{ lima: vm.network }],
    ssh: { localPort: vm.sshPort ?? 0, loadDotSSHPubKeys: false },
    ...(vm.dataDisk === undefined ? {} : { additionalDisks: [{ name: vm.dataDisk, format: false }] }),
    ...(vm.forwardApi === true
      ? { portForwards: [{ guestPort: 6443, hostIP: "127.0.0.1", hostPort: 6443, static: true }] }
      : {}),
  });
}
