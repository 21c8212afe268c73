/** One broker as clients see it. Not here: its socket (broker.ts). */

/** A broker of the cluster; the port is known once it has listened. */
export interface Node {
  readonly nodeId: number;
  host: string;
  port: number;
  isRunning: boolean;
}
