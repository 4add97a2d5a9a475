import type { Connection } from '../../net/connection.js'
import { failed, PASSED, type ProbeResult, type TcpHealthCheck } from './health-check.js'
import { holdsInOrder } from './payload.js'
import type { Probe } from './session.js'

export interface TcpProbeOptions {
  readonly config: TcpHealthCheck
  readonly reuseConnection: boolean
  connect(): Promise<Connection>
}

/** Connects, and where the check says so, talks: Envoy's TcpHealthCheckerImpl. */
export function createTcpProbe({ config, reuseConnection, connect }: TcpProbeOptions): Probe {
  let connection: Connection | undefined
  let pending: ((result: ProbeResult) => void) | undefined
  let run = 0
  let received: Buffer = Buffer.alloc(0)

  const drop = (): void => {
    const old = connection
    connection = undefined
    old?.destroy()
  }
  const settle = (result: ProbeResult): void => {
    const done = pending
    pending = undefined
    if (!reuseConnection || !result.ok || config.receive.length === 0) drop()
    done?.(result)
  }
  const talk = (own: Connection): void => {
    received = Buffer.alloc(0)
    if (config.send !== undefined) own.write(Uint8Array.from(config.send))
    if (config.receive.length === 0) settle(PASSED)
  }
  const adopt = (own: Connection): void => {
    connection = own
    own.handle({
      onData(bytes) {
        received = Buffer.concat([received, bytes])
        if (pending !== undefined && holdsInOrder(received, config.receive)) settle(PASSED)
      },
      onEnd: () => own.destroy(),
      onDrain() {},
      onClose() {
        if (connection !== own) return
        connection = undefined
        if (pending !== undefined) settle(failed('NETWORK'))
      },
    })
    talk(own)
  }
  return {
    run(done) {
      pending = done
      if (connection !== undefined) return talk(connection)
      const mine = ++run
      connect().then(
        (own) => {
          if (mine === run && pending !== undefined) adopt(own)
          else own.destroy()
        },
        () => {
          if (mine === run && pending !== undefined) settle(failed('NETWORK'))
        },
      )
    },
    cancel() {
      pending = undefined
      run++
      drop()
    },
    close() {
      pending = undefined
      run++
      drop()
    },
  }
}
