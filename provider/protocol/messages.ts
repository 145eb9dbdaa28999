import messages from "@pulumi/pulumi/proto/provider_pb.js";
import type { Difference } from "./resource-type.ts";
import { send, type Received, type Values } from "./wire.ts";

/** Inputs as they were checked, with their problems. */
export function checkAnswer(
  inputs: Values,
  secrets: ReadonlySet<string>,
  problems: Readonly<Record<string, string>>,
): messages.CheckResponse {
  const response = new messages.CheckResponse();
  response.setInputs(send(inputs, secrets));
  response.setFailuresList(
    Object.entries(problems).map(([property, reason]) => {
      const failure = new messages.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      return failure;
    }),
  );
  return response;
}

/** What changed, for the engine. */
export function differenceAnswer({ changed, replaces }: Difference): messages.DiffResponse {
  const response = new messages.DiffResponse();
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  response.setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE);
  response.setDiffsList([...changed]);
  response.setReplacesList([...replaces]);
  return response;
}

/** Inputs come back as outputs, and what came as a secret stays one. */
export const outputsAnswer = (received: Received, outputs: Values, secretOutputs: readonly string[] = []) =>
  send({ ...received.values, ...outputs }, [...received.secrets, ...secretOutputs]);

/** What the provider says of itself when it is configured. */
export function configureAnswer(): messages.ConfigureResponse {
  const response = new messages.ConfigureResponse();
  response.setAcceptsecrets(true);
  response.setAcceptresources(false);
  response.setAcceptoutputs(false);
  response.setSupportspreview(true);
  return response;
}

/** A resource as it stands; without values it is gone. */
export function readAnswer(
  id: string,
  found: { readonly properties: ReturnType<typeof send>; readonly inputs: ReturnType<typeof send> } | undefined,
): messages.ReadResponse {
  const response = new messages.ReadResponse();
  // No id: the engine takes the resource out of the state.
  response.setId(found === undefined ? "" : id);
  response.setProperties(found?.properties);
  response.setInputs(found?.inputs);
  return response;
}
