/** UDP port of a machine that relays for its peers. Any will do; this one is ours: https://tailscale.com/docs/features/peer-relay */
export const RELAY_PORT = 40_000;
