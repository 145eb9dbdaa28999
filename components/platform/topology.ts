/** What a release may know of the region it runs in. */
export interface Topology {
  readonly region: string;
  readonly servers: number;
  readonly agents: number;
}
