// @peculiar/x509 builds on a container that needs this polyfill, first.
import "reflect-metadata";
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  webcrypto,
  type KeyObject,
} from "node:crypto";
import sshpk from "sshpk";
import { publicHalf } from "../../components/bootstrap/login-key.ts";
import * as x509 from "@peculiar/x509";

/** A distinguished name and alternative names, as the tls provider takes them. */
export interface SubjectInputs {
  readonly subject?: Readonly<Record<string, unknown>>;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

/** What a certificate may be used for, and for how long. */
export interface CertificateInputs {
  readonly allowedUses: readonly string[];
  readonly isCaCertificate?: boolean;
  readonly setSubjectKeyId?: boolean;
  readonly validityPeriodHours: number;
}

/** A certificate in PEM form and its validity as RFC 3339 text. */
export interface Issued {
  readonly pem: string;
  readonly start: string;
  readonly end: string;
}

const CURVES: Readonly<Record<string, string>> = { P256: "prime256v1", P384: "secp384r1", P521: "secp521r1" };
const WEB_CURVES: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };

/** Object identifier of the extension that holds alternative names (RFC 5280, 4.2.1.6). */
const ALTERNATIVE_NAMES = "2.5.29.17";

/** The provider's words for what a key may be used for: https://registry.terraform.io/providers/hashicorp/tls/latest/docs */
const KEY_USAGES: Readonly<Record<string, number>> = {
  digital_signature: x509.KeyUsageFlags.digitalSignature,
  content_commitment: x509.KeyUsageFlags.nonRepudiation,
  key_encipherment: x509.KeyUsageFlags.keyEncipherment,
  data_encipherment: x509.KeyUsageFlags.dataEncipherment,
  key_agreement: x509.KeyUsageFlags.keyAgreement,
  cert_signing: x509.KeyUsageFlags.keyCertSign,
  crl_signing: x509.KeyUsageFlags.cRLSign,
};
const EXTENDED_USAGES: Readonly<Record<string, string>> = {
  server_auth: x509.ExtendedKeyUsage.serverAuth,
  client_auth: x509.ExtendedKeyUsage.clientAuth,
};
/** Attribute names of a distinguished name, in the order in which Go writes them. */
const NAMES: readonly (readonly [string, string])[] = [
  ["country", "C"],
  ["organization", "O"],
  ["organizationalUnit", "OU"],
  ["locality", "L"],
  ["province", "ST"],
  ["commonName", "CN"],
];

/** Makes a private key as the provider's PrivateKey does. @throws Error for an algorithm or curve that it does not have */
export function makeKey(algorithm: string, curve = "P224", rsaBits = 2048): KeyObject {
  if (algorithm === "RSA") return generateKeyPairSync("rsa", { modulusLength: rsaBits }).privateKey;
  if (algorithm === "ED25519") return generateKeyPairSync("ed25519").privateKey;
  const namedCurve = CURVES[curve];
  if (algorithm !== "ECDSA" || namedCurve === undefined) {
    throw new Error(
      `the rehearsal makes no ${algorithm} keys on curve ${curve}; it has ECDSA P256, P384, P521, RSA, ED25519`,
    );
  }
  return generateKeyPairSync("ec", { namedCurve }).privateKey;
}

const TRADITIONAL: Readonly<Record<string, "sec1" | "pkcs1">> = { ec: "sec1", rsa: "pkcs1" };
const ALGORITHMS: Readonly<Record<string, string>> = { ec: "ECDSA", rsa: "RSA", ed25519: "ED25519" };

const pemOf = (key: KeyObject, type: "pkcs8" | "sec1" | "pkcs1"): string =>
  key.export({ type, format: "pem" }) as string;

/** The PEM forms of a key, by the provider's output names. */
export function keyOutputs(key: KeyObject): Record<string, string> {
  const publicKey = createPublicKey(key);
  const publicDer = publicKey.export({ type: "spki", format: "der" });
  const pkcs8 = pemOf(key, "pkcs8");
  const traditional = TRADITIONAL[key.asymmetricKeyType ?? ""];
  return {
    privateKeyPem: traditional === undefined ? pkcs8 : pemOf(key, traditional),
    privateKeyPemPkcs8: pkcs8,
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }) as string,
    publicKeyFingerprintSha256: `SHA256:${createHash("sha256").update(publicDer).digest("base64").replace(/=+$/, "")}`,
    privateKeyOpenssh: sshpk.parsePrivateKey(pkcs8, "pem").toString("ssh-private"),
    publicKeyOpenssh: `${publicHalf(pkcs8).publicKey}\n`,
    // Not used by this project; a text that says so is safer than one that looks right.
    publicKeyFingerprintMd5: "not made by the rehearsal",
  };
}

/** The provider's name for a key's algorithm. */
export const algorithmOf = (pem: string): string =>
  ALGORITHMS[createPrivateKey(pem).asymmetricKeyType ?? ""] ?? "unknown";

function signingAlgorithm(key: KeyObject): { name: string; namedCurve?: string; hash?: string } {
  if (key.asymmetricKeyType === "ed25519") return { name: "Ed25519" };
  if (key.asymmetricKeyType === "rsa") return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  return {
    name: "ECDSA",
    namedCurve: WEB_CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""] ?? "P-256",
    hash: "SHA-256",
  };
}

async function keyPair(
  pem: string,
): Promise<{ keys: webcrypto.CryptoKeyPair; algorithm: ReturnType<typeof signingAlgorithm> }> {
  const key = createPrivateKey(pem);
  const algorithm = signingAlgorithm(key);
  const load = (format: "pkcs8" | "spki", der: Buffer, usage: "sign" | "verify") =>
    webcrypto.subtle.importKey(format, new Uint8Array(der), algorithm, true, [usage]);
  const [privateKey, publicKey] = await Promise.all([
    load("pkcs8", key.export({ type: "pkcs8", format: "der" }), "sign"),
    load("spki", createPublicKey(key).export({ type: "spki", format: "der" }), "verify"),
  ]);
  return { keys: { privateKey, publicKey }, algorithm };
}

function nameOf(inputs: SubjectInputs): x509.Name {
  const parts = NAMES.flatMap(([input, short]) => {
    const value = inputs.subject?.[input];
    return typeof value === "string" ? [{ [short]: [value] }] : [];
  });
  return new x509.Name(parts);
}

function alternativeNames(inputs: SubjectInputs): x509.Extension[] {
  const names: x509.JsonGeneralNames = [
    ...(inputs.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
    ...(inputs.ipAddresses ?? []).map((value) => ({ type: "ip" as const, value })),
  ];
  return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)];
}

async function extensions(inputs: CertificateInputs, publicKey: webcrypto.CryptoKey): Promise<x509.Extension[]> {
  const flags: number = inputs.allowedUses.reduce((sum, use) => sum | (KEY_USAGES[use] ?? 0), 0);
  const extended = inputs.allowedUses.map((use) => EXTENDED_USAGES[use]).filter((use) => use !== undefined);
  const isAuthority = inputs.isCaCertificate === true;
  return [
    new x509.BasicConstraintsExtension(isAuthority, undefined, true),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- an or of flags is a number to TypeScript
    ...(flags === 0 ? [] : [new x509.KeyUsagesExtension(flags, true)]),
    ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
    ...(isAuthority || inputs.setSubjectKeyId === true
      ? [await x509.SubjectKeyIdentifierExtension.create(publicKey)]
      : []),
  ];
}

function validity(hours: number): { notBefore: Date; notAfter: Date } {
  // A certificate holds whole seconds.
  const start = Math.floor(Date.now() / 1000) * 1000;
  return { notBefore: new Date(start), notAfter: new Date(start + hours * 3_600_000) };
}

const rfc3339 = (date: Date): string => date.toISOString().replace(".000", "");
const serialNumber = (): string =>
  randomBytes(16)
    .toString("hex")
    .replace(/^[89a-f]/, "1");
const withNewline = (pem: string): string => `${pem.trimEnd()}\n`;

/** A certificate that its own key signs. */
export async function selfSigned(keyPem: string, inputs: CertificateInputs & SubjectInputs): Promise<Issued> {
  const { keys, algorithm } = await keyPair(keyPem);
  const { notBefore, notAfter } = validity(inputs.validityPeriodHours);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: nameOf(inputs),
    keys,
    notBefore,
    notAfter,
    signingAlgorithm: algorithm,
    extensions: [...(await extensions(inputs, keys.publicKey)), ...alternativeNames(inputs)],
  });
  return { pem: withNewline(certificate.toString("pem")), start: rfc3339(notBefore), end: rfc3339(notAfter) };
}

/** A request for a certificate, in PEM form. */
export async function certificateRequest(keyPem: string, inputs: SubjectInputs): Promise<string> {
  const { keys, algorithm } = await keyPair(keyPem);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: nameOf(inputs),
    keys,
    signingAlgorithm: algorithm,
    extensions: alternativeNames(inputs),
  });
  return withNewline(request.toString("pem"));
}

/** A certificate for a request, signed by an authority. */
export async function signedBy(
  authority: { readonly certificatePem: string; readonly keyPem: string },
  requestPem: string,
  inputs: CertificateInputs,
): Promise<Issued> {
  const issuer = new x509.X509Certificate(authority.certificatePem);
  const request = new x509.Pkcs10CertificateRequest(requestPem);
  const { keys, algorithm } = await keyPair(authority.keyPem);
  const { notBefore, notAfter } = validity(inputs.validityPeriodHours);
  const publicKey = (await request.publicKey.export()) as webcrypto.CryptoKey;
  const alternative = request.getExtension(ALTERNATIVE_NAMES);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: request.subjectName,
    issuer: issuer.subjectName,
    notBefore,
    notAfter,
    publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      ...(await extensions(inputs, publicKey)),
      ...(alternative === null ? [] : [alternative]),
      await x509.AuthorityKeyIdentifierExtension.create((await issuer.publicKey.export()) as webcrypto.CryptoKey),
    ],
  });
  return { pem: withNewline(certificate.toString("pem")), start: rfc3339(notBefore), end: rfc3339(notAfter) };
}
