/** How often each greeter answered; errors count under `STATUS: details`. */
export type Answers = Readonly<Record<string, number>>

/** A client with gRPC's own xDS resolver. It lives as long as its process: one for a file of tests. */
export interface ProxylessClient {
  /** So many calls, one after the other. */
  call(target: string, count: number, headers?: Readonly<Record<string, string>>): Promise<Answers>
  /** So many calls a second until it is ended, none of them twice. */
  load(target: string, perSecond: number): Promise<{ end(): Promise<Answers> }>
  close(): void | Promise<void>
}

/** Starts a client under a gRPC bootstrap. */
export type StartClient = (bootstrap: object) => Promise<ProxylessClient>
