import * as pulumi from "@pulumi/pulumi";
import type { Invitation } from "../mesh/mesh.ts";
import type { HostKey } from "./host-key.ts";
import { userData, type Distribution } from "./user-data.ts";

/** The user data of a machine: its host key, its login rules, and the mesh that it joins where there is one. Secret. */
export const firstBootOf = (
  distribution: Distribution,
  key: HostKey,
  invitation: Invitation | undefined,
): pulumi.Output<string> =>
  pulumi
    .all([key.privateKey, key.publicKey, invitation?.firstBoot])
    .apply(([hostPrivateKey, hostPublicKey, join]) =>
      userData({ distribution, hostPrivateKey, hostPublicKey, ...(join === undefined ? {} : { join }) }),
    );
