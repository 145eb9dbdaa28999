import { randomBytes } from "node:crypto";
import type { CommandBackend, CommandOutput, CommandRun, Hop } from "../commands/backend.ts";
import type { Operation, StandIn, StandInType } from "./stand-in.ts";
import type { Value, Values } from "../../provider/protocol/wire.ts";

const SOURCE =
  "`triggers` is tagged replaceOnChanges, every other changed input runs `update`, or `create` where there is none: https://github.com/pulumi/pulumi-command/blob/v1.2.1/provider/pkg/provider/common/inputs.go";

const text = (value: Value | undefined): string => (typeof value === "string" ? value : "");
const number = (value: Value | undefined, otherwise: number): number => (typeof value === "number" ? value : otherwise);
const object = (value: Value | undefined): Values =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Values) : {};
const strings = (value: Value | undefined): string[] =>
  Array.isArray(value) ? (value as readonly Value[]).map(text) : [];

function hop(value: Values): Hop {
  const { hostKey, privateKey } = value;
  return {
    host: text(value["host"]),
    port: number(value["port"], 22),
    user: text(value["user"]) || "root",
    perDialTimeout: number(value["perDialTimeout"], 15),
    dialErrorLimit: number(value["dialErrorLimit"], 10),
    ...(typeof hostKey === "string" ? { hostKey } : {}),
    ...(typeof privateKey === "string" ? { privateKey } : {}),
  };
}

function runOf(operation: Operation, inputs: Values, command: string): CommandRun {
  const previous: Record<string, string> = {};
  if (inputs["addPreviousOutputInEnv"] !== false) {
    for (const name of ["stdout", "stderr"]) {
      const value = text(operation.olds[name]);
      if (value !== "") previous[`PULUMI_COMMAND_${name.toUpperCase()}`] = value;
    }
  }
  const environment = Object.entries(object(inputs["environment"])).map(([name, value]) => [name, text(value)]);
  return {
    resource: operation.name,
    text: command,
    stdin: text(inputs["stdin"]),
    environment: { ...(Object.fromEntries(environment) as Record<string, string>), ...previous },
    timeoutSeconds: operation.timeoutSeconds,
    signal: operation.signal,
  };
}

type Execute = (operation: Operation, inputs: Values, command: string) => Promise<CommandOutput>;

/** The life that both kinds of command share. A failed create saves nothing, so its delete never runs. */
function commandType(token: string, execute: Execute): StandInType {
  const outputs = async (operation: Operation, inputs: Values, command: string): Promise<Values> => ({
    ...(command === ""
      ? { stdout: text(operation.olds["stdout"]), stderr: text(operation.olds["stderr"]) }
      : await execute(operation, inputs, command)),
  });
  return {
    token,
    replaceOn: ["triggers"],
    source: SOURCE,
    computed: ["stdout", "stderr"],
    computedOnUpdate: true,
    create: async (operation) => ({
      id: `${operation.name}${randomBytes(4).toString("hex")}`,
      outputs: await outputs(operation, operation.inputs, text(operation.inputs["create"])),
    }),
    update: ({ inputs, ...operation }) =>
      outputs({ ...operation, inputs }, inputs, text(inputs["update"] ?? inputs["create"])),
    // Delete runs with what the state holds: the inputs of the last successful run.
    delete: async (operation) => {
      const command = text(operation.olds["delete"]);
      if (command !== "") await execute(operation, operation.olds, command);
    },
  };
}

/** Stands in for the command provider; where its commands run is up to the back end. */
export function commandStandIn(backend: CommandBackend): StandIn {
  const local = commandType("command:local:Command", (operation, inputs, command) => {
    const interpreter = strings(inputs["interpreter"]);
    const directory = inputs["dir"];
    return backend.local({
      ...runOf(operation, inputs, command),
      interpreter: interpreter.length > 0 ? interpreter : ["/bin/sh", "-c"],
      ...(typeof directory === "string" ? { directory } : {}),
    });
  });
  const remote = commandType("command:remote:Command", (operation, inputs, command) => {
    const connection = object(inputs["connection"]);
    const proxy = connection["proxy"];
    return backend.remote({
      ...runOf(operation, inputs, command),
      connection: {
        ...hop(connection),
        ...(proxy === undefined || proxy === null ? {} : { proxy: hop(object(proxy)) }),
      },
    });
  });
  return { name: "command", version: "1.2.1", types: [local, remote] };
}
