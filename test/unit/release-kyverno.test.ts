import { describe, expect, test } from "vitest";
import { POD_RULE_NAMES } from "../../components/platform/pod-rules.ts";
import type { ReleaseDefinition } from "../../components/platform/release.ts";
import { admissionPolicies } from "../../components/platform/releases/admission-policies.ts";
import { kyverno } from "../../components/platform/releases/kyverno.ts";
import { TOPOLOGIES } from "../support/topologies.ts";

const specs = (definition: ReleaseDefinition, kind: string, settings: object) =>
  definition.objects!(TOPOLOGIES["one-site"], definition.schema.parse(settings) as never)
    .filter((manifest) => manifest.kind === kind)
    .map(({ spec }) => spec as Record<string, unknown>);
const own = (settings: object) => specs(kyverno, "ValidatingPolicy", settings);

describe("Kyverno", () => {
  test("means the same by a rule as the API server", () => {
    const rules = specs(admissionPolicies, "ValidatingAdmissionPolicy", {});
    expect(rules).toHaveLength(POD_RULE_NAMES.length);
    const meant = ({ variables, validations, failurePolicy }: Record<string, unknown>) => ({
      variables,
      validations,
      failurePolicy,
    });
    expect(own({}).map(meant)).toEqual(rules.map(meant));
  });

  test("warns until it is to refuse, and not in the stack's own namespaces", () => {
    expect(own({}).map(({ validationActions }) => validationActions)).toEqual(Array(3).fill(["Warn", "Audit"]));
    const [strict, ...more] = own({ enforce: true, policies: ["requests"], except: ["sandbox"] });
    expect(more).toEqual([]);
    expect(strict).toMatchObject({ validationActions: ["Deny"] });
    expect(JSON.stringify(strict!["matchConstraints"])).toMatch(/"NotIn","values":\["argocd",.*"sandbox"\]/);
  });

  test("is out of the way of what the cluster stands on, also where policies of the user are concerned", () => {
    const values = kyverno.values(TOPOLOGIES["one-site"], kyverno.schema.parse({ policies: [] }) as never);
    expect(JSON.stringify(values["config"])).toContain('"NotIn","values":["argocd","cert-manager","kube-node-lease"');
    expect(own({ policies: [] })).toEqual([]);
  });
});
