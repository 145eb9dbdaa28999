import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { renderKubeconfig } from "../../components/k3s/kubeconfig.ts";

const parts = {
  region: "tokyo",
  endpoint: "10.20.0.11",
  serverAuthority: "authority\n",
  clientCertificate: "certificate\n",
  clientKey: "key\n",
};

describe("kubeconfig", () => {
  it("is refused when a part is empty, and names it: an empty one would reach whatever cluster this computer knows", () => {
    expect(() => renderKubeconfig({ ...parts, clientCertificate: "", clientKey: " \n" })).toThrow(
      "kubeconfig of tokyo: found no clientCertificate, clientKey · allowed: all parts present · fix: the stack's state has lost a certificate; restore it from a backup (pulumi stack import)",
    );
  });

  it("points at the endpoint with the region's authority and the administrator's certificate", () => {
    expect(parse(renderKubeconfig(parts))).toMatchObject({
      "current-context": "tokyo",
      clusters: [{ cluster: { server: "https://10.20.0.11:6443", "certificate-authority-data": "YXV0aG9yaXR5Cg==" } }],
      users: [{ user: { "client-certificate-data": "Y2VydGlmaWNhdGUK", "client-key-data": "a2V5Cg==" } }],
    });
  });

  it("puts an IPv6 endpoint in brackets", () => {
    expect(renderKubeconfig({ ...parts, endpoint: "fd00::1" })).toContain("https://[fd00::1]:6443");
  });
});
