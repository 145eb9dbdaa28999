import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { expect, test } from "vitest";
import {
  certificateRequest,
  keyOutputs,
  makeKey,
  selfSigned,
  signedBy,
} from "../../rehearsal/providers/certificates.ts";

const key = (): string => keyOutputs(makeKey("ECDSA", "P256"))["privateKeyPem"] ?? "";

test("an authority and a client certificate that it signed are what k3s needs", async () => {
  const [authorityKey, clientKey] = [key(), key()];
  const authority = await selfSigned(authorityKey, {
    subject: { commonName: "tokyo-client-ca" },
    isCaCertificate: true,
    allowedUses: ["digital_signature", "key_encipherment", "cert_signing"],
    validityPeriodHours: 24 * 365 * 10,
  });
  const request = await certificateRequest(clientKey, {
    subject: { commonName: "admin", organization: "system:masters" },
  });
  const client = await signedBy({ certificatePem: authority.pem, keyPem: authorityKey }, request, {
    allowedUses: ["client_auth", "digital_signature"],
    validityPeriodHours: 24,
  });

  const [issuer, subject] = [new X509Certificate(authority.pem), new X509Certificate(client.pem)];
  expect(issuer.ca).toBe(true);
  expect(issuer.verify(issuer.publicKey)).toBe(true);
  expect(subject.ca).toBe(false);
  expect(subject.checkIssued(issuer)).toBe(true);
  expect(subject.verify(issuer.publicKey)).toBe(true);
  expect(subject.subject).toBe("O=system:masters\nCN=admin");
  expect(subject.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
  // The key belongs to the certificate, or this throws.
  expect(() => createSecureContext({ cert: client.pem, key: clientKey })).not.toThrow();
  expect(client.start).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test("keys are written as the provider writes them", () => {
  expect(key()).toMatch(/^-----BEGIN EC PRIVATE KEY-----\n/);
  expect(keyOutputs(makeKey("RSA"))["privateKeyPem"]).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
  expect(() => makeKey("DSA")).toThrow("the rehearsal makes no DSA keys");
});
