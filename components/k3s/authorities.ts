import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";

const TYPE = "hybrid-k3s:k3s:Authorities";

/** Ten years, as k3s's own authorities: https://docs.k3s.io/cli/certificate */
const AUTHORITY_HOURS = 10 * 365 * 24;
/** A year, as k3s's own client certificates. */
const ADMIN_HOURS = 365 * 24;
/** An admin certificate is renewed by any run in its last ninety days. */
const ADMIN_RENEWAL_HOURS = 90 * 24;

/** A certificate authority in PEM form. */
export interface Authority {
  readonly certificate: pulumi.Output<string>;
  readonly key: pulumi.Output<string>;
}

/**
 * The tokens and the two certificate authorities of a cluster, and the administrator's certificate.
 *
 * They are made before any server is, and belong to none: a joining node checks the server it finds against an
 * authority it knows already, no server is special, and the kubeconfig needs no copy from a host.
 */
export class Authorities extends pulumi.ComponentResource {
  /** Signs what servers answer with on port 6443. */
  readonly server: Authority;
  /** Signs what clients of the API show. */
  readonly client: Authority;
  /** Administrator's client certificate and key. */
  readonly admin: Authority;
  /** What a server joins with, in the secure form that names the authority (https://docs.k3s.io/cli/token). Secret. */
  readonly serverToken: pulumi.Output<string>;
  /** What an agent joins with, in the secure form. Secret. */
  readonly agentToken: pulumi.Output<string>;
  /** The agents' password alone, as servers are configured with it. Secret. */
  readonly agentPassword: pulumi.Output<string>;

  constructor(name: string, options: pulumi.ComponentResourceOptions) {
    super(TYPE, name, {}, options);
    this.server = this.authority(`${name}-server-ca`, `${name}-server-ca`);
    this.client = this.authority(`${name}-client-ca`, `${name}-client-ca`);
    this.admin = this.administrator(name);
    const serverPassword = this.password(`${name}-server-token`);
    this.agentPassword = this.password(`${name}-agent-token`);
    this.serverToken = secureToken(this.server.certificate, "server", serverPassword);
    this.agentToken = secureToken(this.server.certificate, "node", this.agentPassword);
    this.registerOutputs({});
  }

  private password(name: string): pulumi.Output<string> {
    // Letters and digits only: the token is split at colons and stands in configuration files.
    return new random.RandomPassword(name, { length: 48, special: false }, { parent: this }).result;
  }

  private authority(name: string, commonName: string): Authority {
    const key = new tls.PrivateKey(`${name}-key`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, { parent: this });
    const certificate = new tls.SelfSignedCert(
      name,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName },
        isCaCertificate: true,
        setSubjectKeyId: true,
        validityPeriodHours: AUTHORITY_HOURS,
        allowedUses: ["digital_signature", "key_encipherment", "cert_signing"],
      },
      { parent: this },
    );
    return { certificate: certificate.certPem, key: key.privateKeyPem };
  }

  private administrator(name: string): Authority {
    const key = new tls.PrivateKey(`${name}-admin-key`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, { parent: this });
    const request = new tls.CertRequest(
      `${name}-admin-request`,
      { privateKeyPem: key.privateKeyPem, subject: { commonName: "hybrid-k3s-admin", organization: "system:masters" } },
      { parent: this },
    );
    const certificate = new tls.LocallySignedCert(
      `${name}-admin`,
      {
        certRequestPem: request.certRequestPem,
        caCertPem: this.client.certificate,
        caPrivateKeyPem: this.client.key,
        validityPeriodHours: ADMIN_HOURS,
        earlyRenewalHours: ADMIN_RENEWAL_HOURS,
        allowedUses: ["digital_signature", "key_encipherment", "client_auth"],
      },
      { parent: this },
    );
    return { certificate: certificate.certPem, key: key.privateKeyPem };
  }
}

/**
 * A token that names the authority it belongs to, so that a joining node cannot be lured to another server.
 * The digest is over the bytes of the one certificate:
 * https://github.com/k3s-io/k3s/blob/v1.36.3%2Bk3s1/pkg/clientaccess/token.go
 */
function secureToken(
  certificate: pulumi.Output<string>,
  user: "server" | "node",
  password: pulumi.Output<string>,
): pulumi.Output<string> {
  return pulumi.secret(
    pulumi
      .all([certificate, password])
      .apply(([pem, word]) => `K10${createHash("sha256").update(pem).digest("hex")}::${user}:${word}`),
  );
}
