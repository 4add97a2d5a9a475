import { setTimeout as after } from 'node:timers/promises'
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import type { WorkloadIdentity } from '@heddle/proxy-core'

export interface HandshakeOptions {
  readonly port: number
  readonly identity: WorkloadIdentity
  /** The only peer that is taken: its URI. */
  readonly expected: string
  readonly version?: 'TLSv1.2' | 'TLSv1.3'
  /** Of an earlier connection, to resume it. */
  readonly session?: Buffer
}

/** What has become of one connection with one request. */
export interface Handshake {
  /** The request was answered with 200: in TLS 1.3 a client hears only then that its certificate was taken. */
  readonly ok: boolean
  readonly reused: boolean
  readonly error: string
  /** Sessions that the server gave for later. */
  readonly sessions: readonly Buffer[]
}

const contexts = new WeakMap<WorkloadIdentity, SecureContext>()

function contextOf(identity: WorkloadIdentity): SecureContext {
  let context = contexts.get(identity)
  if (context === undefined) {
    context = createSecureContext({ key: identity.privateKey, cert: identity.certificateChain, ca: identity.trustBundle })
    contexts.set(identity, context)
  }
  return context
}

/** One connection by node:tls with a client certificate, and one request on it. */
export function handshake({ port, identity, expected, version, session }: HandshakeOptions): Promise<Handshake> {
  return new Promise((resolve) => {
    const sessions: Buffer[] = []
    let text = ''
    let error = ''
    const socket: TLSSocket = connect({
      port,
      host: '127.0.0.1',
      secureContext: contextOf(identity),
      ALPNProtocols: ['http/1.1'],
      checkServerIdentity: (_, { subjectaltname }) =>
        subjectaltname === `URI:${expected}` ? undefined : new Error(`the peer is ${subjectaltname}`),
      ...(version === undefined ? {} : { minVersion: version, maxVersion: version }),
      ...(session === undefined ? {} : { session }),
    })
    socket.on('session', (bytes: Buffer) => sessions.push(bytes))
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1')
    })
    socket.on('error', (reason) => {
      error = String(reason)
    })
    socket.setTimeout(20_000, () => socket.destroy(new Error('timeout')))
    socket.on('close', () =>
      resolve({
        ok: text.startsWith('HTTP/1.1 200'),
        reused: socket.isSessionReused(),
        error: error || text.slice(0, 80),
        sessions,
      }),
    )
    socket.write('GET / HTTP/1.1\r\nhost: server\r\nconnection: close\r\n\r\n')
  })
}

export interface HandshakeLoadOptions {
  /** So many at a time. */
  readonly concurrency: number
  /** Of handshakes, as long as they can keep up; absent: without a pause. */
  readonly perSecond?: number
  next(): HandshakeOptions
}

export interface HandshakeLoad {
  readonly done: number
  readonly failures: readonly string[]
  /** The first ones. */
  readonly sessions: readonly Buffer[]
  /** Resolves when nothing is under way any more that had begun before, and `count` more have been made since. */
  goesOn(count: number): Promise<void>
  stop(): Promise<void>
}

const KEPT_SESSIONS = 50

/** Handshakes until `stop`. */
export function handshakeLoad({ concurrency, perSecond = Infinity, next }: HandshakeLoadOptions): HandshakeLoad {
  let [running, begun, done] = [true, 0, 0]
  const failures: string[] = []
  const sessions: Buffer[] = []
  const start = performance.now()
  const underWay = new Set<object>()
  const loop = async (): Promise<void> => {
    while (running) {
      const early = start + (begun++ / perSecond) * 1000 - performance.now()
      if (early > 1) await after(early)
      const mark = {}
      underWay.add(mark)
      const result = await handshake(next())
      underWay.delete(mark)
      done++
      if (!result.ok) failures.push(result.error)
      if (sessions.length < KEPT_SESSIONS) sessions.push(...result.sessions)
    }
  }
  const loops = Array.from({ length: concurrency }, loop)
  return {
    get done() {
      return done
    },
    failures,
    sessions,
    async goesOn(count) {
      const [before, from] = [[...underWay], done]
      while (running && (done < from + count || before.some((mark) => underWay.has(mark)))) await after(5)
    },
    async stop() {
      running = false
      await Promise.all(loops)
    },
  }
}
