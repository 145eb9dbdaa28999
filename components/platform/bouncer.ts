/** Namespace of CrowdSec. */
export const CROWDSEC_NAMESPACE = "crowdsec";
/** Name of the Middleware that asks it about each sender. */
export const BOUNCER_NAME = "bouncer";
/** The same as Traefik's entry points call it: `<namespace>-<name>@<provider>`. */
export const BOUNCER_MIDDLEWARE = `${CROWDSEC_NAMESPACE}-${BOUNCER_NAME}@kubernetescrd`;
