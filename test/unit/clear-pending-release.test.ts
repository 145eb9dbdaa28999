import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { renderKubeconfig } from "../../components/k3s/kubeconfig.ts";
import {
  certificateRequest,
  keyOutputs,
  makeKey,
  selfSigned,
  signedBy,
} from "../../rehearsal/providers/certificates.ts";
import { clearPendingRelease } from "../../stacks/clear-pending-release.ts";

const newKey = (): string => keyOutputs(makeKey("ECDSA", "P256"))["privateKeyPem"] ?? "";
const release = { name: "cert-manager", namespace: "cert-manager" };

/** A certificate authority, a server's and a client's certificate under it. */
async function makeCertificates() {
  const [authorityKey, serverKey, clientKey] = [newKey(), newKey(), newKey()];
  const authority = await selfSigned(authorityKey, {
    subject: { commonName: "authority" },
    isCaCertificate: true,
    setSubjectKeyId: true,
    validityPeriodHours: 1,
    allowedUses: ["cert_signing"],
  });
  const sign = async (key: string, inputs: object, use: string): Promise<string> => {
    const request = await certificateRequest(key, inputs);
    const issued = await signedBy({ certificatePem: authority.pem, keyPem: authorityKey }, request, {
      validityPeriodHours: 1,
      allowedUses: ["digital_signature", use],
    });
    return issued.pem;
  };
  return {
    authority: authority.pem,
    serverKey,
    server: await sign(serverKey, { subject: { commonName: "api" }, ipAddresses: ["127.0.0.1"] }, "server_auth"),
    clientKey,
    client: await sign(clientKey, { subject: { commonName: "admin" } }, "client_auth"),
  };
}

describe("clearing a release that was left pending", () => {
  let certificates: Awaited<ReturnType<typeof makeCertificates>>;
  let server: Server | undefined;
  beforeAll(async () => {
    certificates = await makeCertificates();
  });
  afterEach(() => {
    server?.close();
    server?.closeAllConnections();
  });

  /** An API that answers the listing with these Secrets; returns its kubeconfig and what it was asked. */
  async function api(secrets: readonly string[], status = 200) {
    const asked: string[] = [];
    server = createServer(
      { ca: certificates.authority, cert: certificates.server, key: certificates.serverKey, requestCert: true },
      (request, response) => {
        const who = String(
          (request.socket as unknown as Pick<TLSSocket, "getPeerCertificate">).getPeerCertificate().subject.CN,
        );
        asked.push(`${who} ${request.method ?? ""} ${decodeURIComponent(request.url ?? "")}`);
        response.statusCode = status;
        response.end(JSON.stringify({ items: secrets.map((name) => ({ metadata: { name } })) }));
      },
    );
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const kubeconfig = renderKubeconfig({
      region: "tokyo",
      endpoint: "127.0.0.1",
      serverAuthority: certificates.authority,
      clientCertificate: certificates.client,
      clientKey: certificates.clientKey,
    }).replace(":6443", `:${port}`);
    return { kubeconfig, asked };
  }

  it("deletes the pending records alone, as the administrator, and says which", async () => {
    const { kubeconfig, asked } = await api(["sh.helm.release.v1.cert-manager.v2"]);
    expect(await clearPendingRelease(kubeconfig, release)).toEqual(["sh.helm.release.v1.cert-manager.v2"]);
    const path = "/api/v1/namespaces/cert-manager/secrets";
    expect(asked).toEqual([
      `admin GET ${path}?labelSelector=owner=helm,name=cert-manager,status in (pending-install,pending-upgrade,pending-rollback)`,
      `admin DELETE ${path}/sh.helm.release.v1.cert-manager.v2`,
    ]);
  });

  it("deletes nothing where nothing is pending", async () => {
    const { kubeconfig, asked } = await api([]);
    expect(await clearPendingRelease(kubeconfig, release)).toEqual([]);
    expect(asked).toHaveLength(1);
  });

  it("says what the API refused", async () => {
    const { kubeconfig } = await api([], 403);
    await expect(clearPendingRelease(kubeconfig, release)).rejects.toThrow(
      /^the API answered GET \/api\/v1\/namespaces\/cert-manager\/secrets\S* with 403$/,
    );
  });
});
