import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { attempt, run } from "./run.ts";

const SECONDS = 120;

/** Debian's names for what node calls x64 and arm64. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
const architecture = (): string => ARCHITECTURES[process.arch] ?? process.arch;

/**
 * What the labs' hosts need beside the vendor's own defaults: headscale's relay speaks plain HTTP there, and there is no
 * log server to look for. It is a test's word alone: no script of the project writes it.
 */
const LAB_DEFAULTS = `PORT="41641"
FLAGS="--no-logs-no-support"
TS_DEBUG_USE_DERP_HTTP=1
`;

/** Where things come from and go to. */
export interface PackagesPlan {
  /** A folder that becomes `PACKAGES` of the scripts. */
  readonly to: string;
  /** A folder per version, with tailscale and tailscaled in it. */
  readonly clients: string;
  /** Tailscale's source: the unit and the package's own scripts are taken from it. */
  readonly source: string;
}

function put(path: string, text: string | Buffer, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode });
}

/** One package, laid out as upstream does: release/dist/unixpkgs/pkgs.go. */
function debianPackage({ clients, source }: PackagesPlan, version: string, to: string): void {
  const root = mkdtempSync(join(tmpdir(), "hybrid-k3s-package-"));
  try {
    const from = (...path: string[]): Buffer => readFileSync(join(source, ...path));
    put(join(root, "usr/bin/tailscale"), readFileSync(join(clients, version, "tailscale")), 0o755);
    put(join(root, "usr/sbin/tailscaled"), readFileSync(join(clients, version, "tailscaled")), 0o755);
    for (const unit of ["tailscaled.service", "tailscale-online.target", "tailscale-wait-online.service"]) {
      put(join(root, "lib/systemd/system", unit), from("cmd/tailscaled", unit));
    }
    put(join(root, "etc/default/tailscaled"), LAB_DEFAULTS);
    put(join(root, "DEBIAN/conffiles"), "/etc/default/tailscaled\n");
    for (const [name, script] of Object.entries({ postinst: "postinst", prerm: "prerm", postrm: "postrm" })) {
      put(join(root, "DEBIAN", name), from(`release/deb/debian.${script}.sh`), 0o755);
    }
    put(
      join(root, "DEBIAN/control"),
      `Package: tailscale
Version: ${version}
Architecture: ${architecture()}
Maintainer: hybrid-k3s's tests <nobody@example.net>
Section: net
Priority: extra
Depends: iptables
Description: Tailscale, built for the tests on hosts
`,
    );
    mkdirSync(dirname(to), { recursive: true });
    run("dpkg-deb", ["--root-owner-group", "-Zgzip", "-z1", "--build", root, to], SECONDS);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const digestOf = (data: Buffer): string => createHash("sha256").update(data).digest("hex");

function indexEntry(distribution: string, path: string): string {
  const data = readFileSync(join(distribution, path));
  const control = run("dpkg-deb", ["--field", join(distribution, path)], SECONDS).trim();
  return `${control}\nFilename: ${path}\nSize: ${data.length}\nSHA256: ${digestOf(data)}\n`;
}

/** Signs the index as the vendor does, with a key that is made for it and thrown away. */
function sign(folder: string, release: string, keyFile: string): void {
  const home = mkdtempSync(join(tmpdir(), "hybrid-k3s-gpg-"));
  const gpg = (...args: string[]): string =>
    run(
      "gpg",
      ["--homedir", home, "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback", ...args],
      60,
    );
  try {
    gpg("--quick-generate-key", "hybrid-k3s tests", "ed25519", "sign", "never");
    gpg("--output", join(folder, "InRelease"), "--clearsign", release);
    gpg("--output", keyFile, "--export");
  } finally {
    attempt("gpgconf", ["--homedir", home, "--kill", "all"], 20);
    rmSync(home, { recursive: true, force: true });
  }
}

/** Writes a package repository as https://pkgs.tailscale.com/stable is laid out, for Debian bookworm alone. */
export function writePackages(plan: PackagesPlan): void {
  const distribution = join(plan.to, "debian");
  const pool = readdirSync(plan.clients).map((version) => `pool/tailscale_${version}_${architecture()}.deb`);
  for (const path of pool)
    debianPackage(plan, /_(?<version>[^_]+)_/.exec(path)!.groups!["version"]!, join(distribution, path));
  const index = `main/binary-${architecture()}/Packages`;
  const packages = Buffer.from(pool.map((path) => indexEntry(distribution, path)).join("\n"));
  const suite = join(distribution, "dists/bookworm");
  put(join(suite, index), packages);
  const release = join(suite, "Release");
  put(
    release,
    `Origin: hybrid-k3s tests
Suite: stable
Codename: bookworm
Date: ${new Date().toUTCString()}
Architectures: ${architecture()}
Components: main
SHA256:
 ${digestOf(packages)} ${packages.length} ${index}
`,
  );
  sign(suite, release, join(distribution, "bookworm.noarmor.gpg"));
}

/** Puts the repository on a lab's mirror. Returns `PACKAGES` as hosts see it. */
export function publishPackages(packages: string, mirror: string): string {
  cpSync(packages, join(mirror, "tailscale"), { recursive: true });
  return "file:///opt/mirror/tailscale";
}
