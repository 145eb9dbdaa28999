import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeAll } from "vitest";
import { renderKubeconfig } from "../../components/k3s/kubeconfig.ts";
import {
  certificateRequest,
  keyOutputs,
  makeKey,
  selfSigned,
  signedBy,
} from "../../rehearsal/providers/certificates.ts";

/** How a server answers a request with this body. */
export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const newKey = (): string => keyOutputs(makeKey("ECDSA", "P256"))["privateKeyPem"] ?? "";

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

/**
 * For the tests of a file: servers that stand in for a cluster's API, and take the administrator's certificate alone.
 * @returns starts one, and gives its kubeconfig
 */
export function useApiServer(): (answer: Answer) => Promise<string> {
  let certificates: Awaited<ReturnType<typeof makeCertificates>>;
  const servers: Server[] = [];
  beforeAll(async () => {
    certificates = await makeCertificates();
  });
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });
  return async (answer) => {
    const { authority, server: cert, serverKey: key, client, clientKey } = certificates;
    const options = { ca: authority, cert, key, requestCert: true, rejectUnauthorized: true };
    const server = createServer(options, (request, response) => {
      void text(request).then((body) => {
        answer(request, response, body);
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const own = { serverAuthority: authority, clientCertificate: client, clientKey };
    return renderKubeconfig({ region: "tokyo", endpoint: "127.0.0.1", ...own }).replace(":6443", `:${port}`);
  };
}
