import { createHash, createPrivateKey } from "node:crypto";
import {
  algorithmOf,
  certificateRequest,
  keyOutputs,
  makeKey,
  selfSigned,
  signedBy,
  type CertificateInputs,
  type Issued,
  type SubjectInputs,
} from "./certificates.ts";
import type { StandIn, StandInType } from "./stand-in.ts";
import type { Values } from "../../provider/protocol/wire.ts";

const SOURCE =
  "RequiresReplace on every input: https://github.com/hashicorp/terraform-provider-tls/tree/main/internal/provider";
/** `early_renewal_hours` is the one input that is changed in place. */
const certificateReplaces = (names: readonly string[]): string[] => [
  ...names,
  "allowedUses",
  "isCaCertificate",
  "setSubjectKeyId",
  "setAuthorityKeyId",
  "maxPathLength",
  "validityPeriodHours",
];

const text = (inputs: Values, name: string): string => {
  const value = inputs[name];
  if (typeof value !== "string" || value === "") throw new Error(`${name} is required`);
  return value;
};
const subjectOf = (inputs: Values): SubjectInputs => inputs;
const usesOf = (inputs: Values): CertificateInputs => inputs as unknown as CertificateInputs;
const idOf = (content: string): string => createHash("sha1").update(content).digest("hex");

const issuedOutputs = (issued: Issued): Values => ({
  certPem: issued.pem,
  validityStartTime: issued.start,
  validityEndTime: issued.end,
  readyForRenewal: false,
});

const privateKey: StandInType = {
  token: "tls:index/privateKey:PrivateKey",
  replaceOn: "all",
  source: SOURCE,
  computed: [
    "privateKeyPem",
    "privateKeyPemPkcs8",
    "privateKeyOpenssh",
    "publicKeyPem",
    "publicKeyOpenssh",
    "publicKeyFingerprintMd5",
    "publicKeyFingerprintSha256",
  ],
  secretOutputs: ["privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"],
  create: ({ inputs }) => {
    const curve = typeof inputs["ecdsaCurve"] === "string" ? inputs["ecdsaCurve"] : undefined;
    const bits = typeof inputs["rsaBits"] === "number" ? inputs["rsaBits"] : undefined;
    const outputs = keyOutputs(makeKey(text(inputs, "algorithm"), curve, bits));
    return Promise.resolve({ id: idOf(outputs["publicKeyPem"] ?? ""), outputs });
  },
};

const selfSignedCertificate: StandInType = {
  token: "tls:index/selfSignedCert:SelfSignedCert",
  replaceOn: certificateReplaces(["privateKeyPem", "subject", "dnsNames", "ipAddresses", "uris"]),
  source: SOURCE,
  computed: ["certPem", "keyAlgorithm", "readyForRenewal", "validityStartTime", "validityEndTime"],
  secretOutputs: ["privateKeyPem"],
  create: async ({ inputs }) => {
    const key = text(inputs, "privateKeyPem");
    const issued = await selfSigned(key, { ...usesOf(inputs), ...subjectOf(inputs) });
    return { id: idOf(issued.pem), outputs: { ...issuedOutputs(issued), keyAlgorithm: algorithmOf(key) } };
  },
};

const request: StandInType = {
  token: "tls:index/certRequest:CertRequest",
  replaceOn: "all",
  source: SOURCE,
  computed: ["certRequestPem", "keyAlgorithm"],
  secretOutputs: ["privateKeyPem"],
  create: async ({ inputs }) => {
    const key = text(inputs, "privateKeyPem");
    const certRequestPem = await certificateRequest(key, subjectOf(inputs));
    return { id: idOf(certRequestPem), outputs: { certRequestPem, keyAlgorithm: algorithmOf(key) } };
  },
};

const locallySigned: StandInType = {
  token: "tls:index/locallySignedCert:LocallySignedCert",
  replaceOn: certificateReplaces(["certRequestPem", "caCertPem", "caPrivateKeyPem"]),
  source: SOURCE,
  computed: ["certPem", "caKeyAlgorithm", "readyForRenewal", "validityStartTime", "validityEndTime"],
  secretOutputs: ["caPrivateKeyPem"],
  create: async ({ inputs }) => {
    const keyPem = text(inputs, "caPrivateKeyPem");
    const authority = { certificatePem: text(inputs, "caCertPem"), keyPem };
    const issued = await signedBy(authority, text(inputs, "certRequestPem"), usesOf(inputs));
    return { id: idOf(issued.pem), outputs: { ...issuedOutputs(issued), caKeyAlgorithm: algorithmOf(keyPem) } };
  },
};

/** Whether a text is a private key that this computer can read. */
export function isPrivateKey(pem: string): boolean {
  try {
    createPrivateKey(pem);
    return true;
  } catch {
    return false;
  }
}

/**
 * Stands in for the tls provider with real keys and real certificates, so that a program whose hosts are real gets
 * certificates that k3s accepts. Not simulated: renewal (a certificate that nears its end is not reported as changed).
 */
export const tlsStandIn: StandIn = {
  name: "tls",
  version: "5.6.1",
  types: [privateKey, selfSignedCertificate, request, locallySigned],
};
