import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { IMAGES, imageNames } from "../../components/lima/images.ts";
import { vmYaml, type LimaVm } from "../../components/lima/vm-yaml.ts";

const vm: LimaVm = {
  hostSystem: "macos",
  network: "shared",
  image: "ubuntu-24.04",
  cpus: 3,
  memoryGiB: 8,
  diskGiB: 300,
};
const yamlOf = (more: Partial<LimaVm> = {}) => parse(vmYaml({ ...vm, ...more })) as Record<string, unknown>;

describe("a VM's YAML", () => {
  test("is a plain VM with its size, on the LAN that all VMs of the host share", () => {
    const { images, ...rest } = yamlOf();
    expect(images).toEqual(IMAGES["ubuntu-24.04"]);
    expect(rest).toEqual({
      minimumLimaVersion: "2.0.0",
      vmType: "vz",
      plain: true,
      cpus: 3,
      memory: "8GiB",
      disk: "300GiB",
      mounts: [],
      containerd: { system: false, user: false },
      networks: [{ lima: "shared" }],
      ssh: { localPort: 0, loadDotSSHPubKeys: false },
    });
  });

  test("takes QEMU on Linux, a fixed SSH port and the API's port where VMs have no address outside", () => {
    const more = { hostSystem: "linux", network: "user-v2", sshPort: 20_022, forwardApi: true, dataDisk: "d" } as const;
    expect(yamlOf(more)).toMatchObject({
      vmType: "qemu",
      networks: [{ lima: "user-v2" }],
      ssh: { localPort: 20_022 },
      additionalDisks: [{ name: "d", format: false }],
      portForwards: [{ guestPort: 6443, hostIP: "127.0.0.1", hostPort: 6443, static: true }],
    });
  });

  test("is the same text for the same VM", () => {
    expect(vmYaml(vm)).toBe(vmYaml({ ...vm }));
  });
});

describe("an image", () => {
  test.each(imageNames)("%s has a dated entry with a digest for both architectures, and a fallback without", (name) => {
    const entries = IMAGES[name] ?? [];
    for (const arch of ["x86_64", "aarch64"]) {
      const [dated, fallback, ...more] = entries.filter((entry) => entry.arch === arch);
      expect(dated?.digest).toMatch(/^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/);
      expect(dated?.location).toMatch(/^https:.*\d{8}/);
      expect(fallback?.digest).toBeUndefined();
      expect(more).toEqual([]);
    }
  });
});
