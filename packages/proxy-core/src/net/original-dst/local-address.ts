import type { OriginalDst } from './original-dst.js'

/**
 * TPROXY rewrites nothing: a connection's own address is where its client meant to go. A connection to the port of the listener
 * itself was not redirected; to take it for one would have the proxy call itself.
 */
export const localAddressOriginalDst: OriginalDst = {
  of: ({ local, bound }) => (local.port === bound.port ? undefined : local),
}

/** The first answer: a transparent listener may get redirected connections as well, as calls of a pod to itself. */
export function firstOriginalDst(...providers: readonly OriginalDst[]): OriginalDst {
  return {
    of(socket) {
      for (const provider of providers) {
        const destination = provider.of(socket)
        if (destination !== undefined) return destination
      }
      return undefined
    },
  }
}
