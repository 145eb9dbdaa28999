import { createHash } from "node:crypto";
import type { FakeAnswers, FakeState } from "./record-graph.ts";
import * as pulumi from "@pulumi/pulumi";
import { NETWORK_ZONES } from "../../components/hetzner/catalog.ts";

const pem = (kind: string, name: string): string => `-----BEGIN ${kind}-----\n${name}\n-----END ${kind}-----\n`;

/** An id that is a number, as Hetzner's are, and follows from a name. */
const numberFor = (name: string): string => String(createHash("sha256").update(name).digest().readUInt32BE(0));

/** Outputs that look like the real providers' ones, secret where those are. */
export const fakeOutputs: FakeState = (type, name) => {
  switch (type) {
    case "random:index/randomPassword:RandomPassword":
      return { result: pulumi.secret(`password-of-${name}`) };
    case "random:index/randomId:RandomId":
      return { hex: `id-of-${name}` };
    case "tls:index/privateKey:PrivateKey":
      return {
        privateKeyPem: pulumi.secret(pem("EC PRIVATE KEY", name)),
        privateKeyOpenssh: pulumi.secret(pem("OPENSSH PRIVATE KEY", name)),
        publicKeyOpenssh: `ssh-ed25519 key-of-${name}\n`,
      };
    case "tls:index/selfSignedCert:SelfSignedCert":
    case "tls:index/locallySignedCert:LocallySignedCert":
      return { certPem: pem("CERTIFICATE", name) };
    case "tls:index/certRequest:CertRequest":
      return { certRequestPem: pem("CERTIFICATE REQUEST", name) };
    case "command:local:Command":
      // What the one script of this kind whose output is read prints: an address and a host key.
      return name.endsWith("-address") ? { stdout: `address of ${name}\nssh-ed25519 key-of-${name}\n` } : {};
    case "aws:lightsail/instance:Instance":
      return {
        createdAt: `creation of ${name}`,
        privateIpAddress: `private address of ${name}`,
        publicIpAddress: `public address of ${name}`,
      };
    case "aws:lightsail/staticIp:StaticIp":
      return { ipAddress: `address of ${name}` };
    case "hcloud:index/primaryIp:PrimaryIp":
      return { id: numberFor(name), ipAddress: `address of ${name}` };
    case "hcloud:index/server:Server":
      return { id: numberFor(name), ipv4Address: `IPv4 of ${name}`, ipv6Address: `IPv6 of ${name}` };
    case "hcloud:index/serverNetwork:ServerNetwork":
      return { ip: `private address of ${name}` };
    case "hybrid-k3s-mesh:index:JoinKey":
      return { key: pulumi.secret(`password-of-${name}`), keyId: `id of ${name}`, expires: "2026-01-01T00:00:00Z" };
    case "hybrid-k3s-mesh:index:Device":
      return { deviceId: `id of ${name}`, address: `address of ${name}`, dnsName: `dns name of ${name}` };
    case "pulumi:pulumi:StackReference":
      return { outputs: {} };
    default:
      return type.startsWith("hcloud:") ? { id: numberFor(name) } : {};
  }
};

/** Answers of an account that has everything, and nothing in it yet. */
export const fakeAnswers: FakeAnswers = (token, inputs) => {
  switch (token) {
    case "hcloud:index/getServerType:getServerType":
      return { locations: Object.keys(NETWORK_ZONES).map((name) => ({ name, available: true })) };
    case "hcloud:index/getPrimaryIps:getPrimaryIps":
      return { primaryIps: [] };
    case "hcloud:index/getServers:getServers":
      return { servers: [] };
    default:
      return inputs;
  }
};
