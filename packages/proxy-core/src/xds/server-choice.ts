import { type Clock, createBackoff, type Logger, type Random, type Unsubscribe } from '@heddle/runtime'
import type { XdsStream, XdsTransport } from './transport.js'

export interface ServerChoiceOptions {
  /** In order of preference; one at least. */
  servers: readonly XdsTransport[]
  /** What a server is asked to learn whether it is back. */
  method: string
  probe: Uint8Array
  clock: Clock
  random: Random
  logger: Logger
  /** A better server has answered, and is the current one from now on: leave the stream that is open. */
  onBetter(): void
}

/** Which of several servers is asked (gRFC A71). */
export interface ServerChoice {
  readonly current: XdsTransport
  /**
   * The current one could not be reached. True: the next one is current now. Only what lacks a resource goes there: whoever
   * has everything does better with what it has than with another server's view.
   */
  failed(lacking: boolean): boolean
  close(): void
}

/** The first server until it cannot be reached, then the next; those before are asked on, and the first answer leads back. */
export function createServerChoice(options: ServerChoiceOptions): ServerChoice {
  const { servers, clock, random, logger } = options
  const probes: Unsubscribe[] = []
  let at = 0

  const goBackTo = (index: number): void => {
    at = index
    for (const stop of probes.splice(index)) stop()
    logger.info({ target: current().target }, 'xds: a server that comes first has answered; back to it')
    options.onBetter()
  }

  /** Asks one server again and again, at growing intervals, until it answers. */
  const watch = (index: number): Unsubscribe => {
    const backoff = createBackoff({ clock, random })
    let stream: XdsStream | undefined
    let cancel: Unsubscribe = () => {}
    let stopped = false
    const ask = (): void => {
      stream = servers[index]?.open(options.method, {
        onMessage() {
          if (!stopped) goBackTo(index)
        },
        onClose() {
          if (!stopped) cancel = backoff.retry(ask)
        },
      })
      stream?.send(options.probe)
    }
    cancel = backoff.retry(ask)
    return () => {
      stopped = true
      cancel()
      stream?.close()
    }
  }

  const current = (): XdsTransport => {
    const server = servers[at]
    if (server === undefined) throw new Error('an xDS client needs a server')
    return server
  }

  return {
    get current() {
      return current()
    },
    failed(lacking) {
      if (!lacking || at + 1 >= servers.length) return false
      probes.push(watch(at))
      at++
      logger.warn(
        { target: current().target },
        'xds: a server cannot be reached, and resources are missing; the next one is asked',
      )
      return true
    },
    close() {
      for (const stop of probes.splice(0)) stop()
      for (const server of servers) server.close()
    },
  }
}
