import * as pulumi from "@pulumi/pulumi";
import { expect, it } from "vitest";
import { hostFirewall } from "../../components/firewall/host-firewall.ts";
import { parseCommandText, type ScriptCall } from "../../components/host/command-text.ts";
import { fakeOutputs } from "../support/fakes.ts";
import { recordGraph, type GraphNode } from "../support/record-graph.ts";
import { HOST_KEY, machineSpec, PRIVATE_KEY, sshTarget } from "../support/sample.ts";

const record = async (): Promise<GraphNode> => {
  const jump = { host: "192.0.2.1", port: 2222, user: "ops", hostKey: HOST_KEY };
  const nodes = await recordGraph(
    () =>
      void hostFirewall(
        "a-firewall",
        {
          spec: machineSpec("a", "server"),
          rules: pulumi.output("table inet hybrid_k3s {\n}\n"),
          ssh: sshTarget("10.0.0.1", { jump }),
          login: { privateKey: PRIVATE_KEY },
          triggers: ["host 1"],
          connectSeconds: 300,
        },
        {},
      ),
    { state: fakeOutputs },
  );
  const found = nodes.find(({ name }) => name === "a-firewall");
  if (found === undefined) throw new Error("no resource named a-firewall");
  return found;
};
const callOf = (node: GraphNode, input: string): ScriptCall | undefined => parseCommandText(String(node.inputs[input]));

it("a host's firewall is applied and confirmed with every change, and removed in the end", async () => {
  const node = await record();
  for (const input of ["create", "update"]) {
    expect(callOf(node, input)).toMatchObject({
      script: "host-firewall",
      action: "apply",
      parameters: {
        CONFIRM_ACTION: "confirm",
        TARGETS: `a root@10.0.0.1:22 ${HOST_KEY} ops@192.0.2.1:2222 ${HOST_KEY}`,
        ROLLBACK_SECONDS: "60",
        RULES: "table inet hybrid_k3s {\n}\n",
        LOCK: "hybrid-k3s-firewall",
        UNREACHABLE: "fail",
      },
    });
  }
  const removal = callOf(node, "delete");
  expect(removal).toMatchObject({ action: "remove", parameters: { UNREACHABLE: "leave", CONNECT_SECONDS: "45" } });
  expect(removal?.parameters).not.toHaveProperty("CONFIRM_ACTION");
});

it("a host's firewall has time for both of its connections, and holds no secret in the clear", async () => {
  const { inputs, options } = await record();
  // 300 to connect, then twice: 120 for the lock, 900 for the script, 30 to spare.
  expect(options["timeouts"]).toMatchObject({ create: "2400s", update: "2400s", delete: "1095s" });
  expect(inputs["triggers"]).toEqual(["host 1"]);
  expect(JSON.stringify(inputs)).not.toContain("planted-private-key");
});
