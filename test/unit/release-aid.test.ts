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
import { releaseAid } from "../../stacks/release-aid.ts";

const newKey = (): string => keyOutputs(makeKey("ECDSA", "P256"))["privateKeyPem"] ?? "";
const LONG_AGO = "2026-01-01T00:00:00Z";
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

describe("what is done for a release in its cluster", () => {
  let certificates: Awaited<ReturnType<typeof makeCertificates>>;
  let server: Server | undefined;
  beforeAll(async () => {
    certificates = await makeCertificates();
  });
  afterEach(() => {
    server?.close();
    server?.closeAllConnections();
  });

  /** An API that answers listings by the last word of their path; returns its kubeconfig and what it was asked. */
  async function api(lists: Readonly<Record<string, readonly object[]>>, status = 200) {
    const asked: string[] = [];
    server = createServer(
      { ca: certificates.authority, cert: certificates.server, key: certificates.serverKey, requestCert: true },
      (request, response) => {
        const who = String(
          (request.socket as unknown as Pick<TLSSocket, "getPeerCertificate">).getPeerCertificate().subject.CN,
        );
        asked.push(`${who} ${request.method ?? ""} ${decodeURIComponent((request.url ?? "").replaceAll("+", " "))}`);
        response.statusCode = status;
        const kind = /([a-z]+)(?:\?|$)/.exec(request.url ?? "")?.[1] ?? "";
        response.end(JSON.stringify({ items: lists[kind] ?? [] }));
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
    const { kubeconfig, asked } = await api({
      secrets: [{ metadata: { name: "sh.helm.release.v1.cert-manager.v2" } }],
    });
    expect(await releaseAid.clearPending(kubeconfig, release)).toEqual(["sh.helm.release.v1.cert-manager.v2"]);
    const path = "/api/v1/namespaces/cert-manager/secrets";
    expect(asked).toEqual([
      `admin GET ${path}?labelSelector=owner=helm,name=cert-manager,status in (pending-install,pending-upgrade,pending-rollback)`,
      `admin DELETE ${path}/sh.helm.release.v1.cert-manager.v2`,
    ]);
  });

  it("deletes nothing where nothing is pending", async () => {
    const { kubeconfig, asked } = await api({});
    expect(await releaseAid.clearPending(kubeconfig, release)).toEqual([]);
    expect(asked).toHaveLength(1);
  });

  it("says what the API refused", async () => {
    const { kubeconfig } = await api({}, 403);
    await expect(releaseAid.clearPending(kubeconfig, release)).rejects.toThrow(
      /^the API answered GET \/api\/v1\/namespaces\/cert-manager\/secrets\S* with 403$/,
    );
  });

  const pod = (name: string, revision: string, ready: boolean, more: object = {}, since = LONG_AGO) => ({
    metadata: {
      name,
      labels: { "controller-revision-hash": revision },
      ownerReferences: [{ kind: "StatefulSet", name: name.replace(/-\d+$/, "") }],
      ...more,
    },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: since }],
    },
  });
  const statefulSet = (name: string, of: string) => ({
    metadata: { name, annotations: { "meta.helm.sh/release-name": of } },
    status: { updateRevision: "new" },
  });

  it("deletes the broken pods of an earlier revision of the release's own stateful sets, and no other", async () => {
    const { kubeconfig, asked } = await api({
      statefulsets: [
        statefulSet("store", "cert-manager"),
        statefulSet("foreign", "other"),
        { ...statefulSet("sealed", "cert-manager"), spec: { updateStrategy: { type: "OnDelete" } } },
      ],
      pods: [
        pod("store-0", "old", false),
        pod("store-1", "old", true),
        pod("store-2", "new", false),
        pod("store-3", "old", false, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
        pod("store-4", "old", false, {}, new Date().toISOString()),
        pod("foreign-0", "old", false),
        pod("sealed-0", "old", false),
        { metadata: { name: "alone" }, status: { phase: "Pending" } },
      ],
    });
    expect(await releaseAid.deleteHeldPods(kubeconfig, release)).toEqual(["pod store-0"]);
    expect(asked.filter((line) => line.includes("DELETE"))).toEqual([
      "admin DELETE /api/v1/namespaces/cert-manager/pods/store-0",
    ]);
  });

  it("says what is wrong with each pod that is not ready", async () => {
    const { kubeconfig } = await api({ pods: [pod("store-0", "new", false), pod("store-1", "new", true)] });
    expect(await releaseAid.troubles(kubeconfig, release)).toEqual(["pod store-0: is being started (Running)"]);
  });
});
