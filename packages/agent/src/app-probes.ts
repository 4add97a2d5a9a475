import { connect } from 'node:net'
import { Client, credentials } from '@grpc/grpc-js'
import { systemClock } from '@heddle/runtime'

/** A probe that the injector has turned to the agent: ISTIO_KUBE_APP_PROBERS, by path: `/app-health/app/readyz`. */
export interface AppProbe {
  readonly httpGet?: {
    readonly path?: string
    readonly port: number
    readonly scheme?: string
    readonly host?: string
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[]
  }
  readonly tcpSocket?: { readonly port: number; readonly host?: string }
  /** By the gRPC health protocol (grpc.health.v1). */
  readonly grpc?: { readonly port: number; readonly service?: string }
  readonly timeoutSeconds?: number
}

export function appProbes(variable: string | undefined): Readonly<Record<string, AppProbe>> {
  if (variable === undefined || variable === '') return {}
  try {
    return JSON.parse(variable) as Readonly<Record<string, AppProbe>>
  } catch {
    return {}
  }
}

/** Asks the app as the kubelet would have; the status that the kubelet gets. */
export async function probeApp(probe: AppProbe, address: string, userAgent: string | undefined): Promise<number> {
  const timeout = (probe.timeoutSeconds || 1) * 1000
  if (probe.httpGet !== undefined) return probeHttp(probe.httpGet, address, userAgent, timeout)
  if (probe.tcpSocket !== undefined) return probeTcp(probe.tcpSocket.port, probe.tcpSocket.host ?? address, timeout)
  if (probe.grpc !== undefined) return probeGrpc(probe.grpc, address, timeout)
  return 500
}

async function probeHttp(
  get: NonNullable<AppProbe['httpGet']>,
  address: string,
  userAgent: string | undefined,
  timeout: number,
): Promise<number> {
  const host = address.includes(':') ? `[${address}]` : address
  const path = get.path?.startsWith('/') === false ? `/${get.path}` : (get.path ?? '/')
  const headers = new Headers(userAgent === undefined ? {} : { 'user-agent': userAgent })
  for (const { name, value } of get.httpHeaders ?? []) if (name.toLowerCase() !== 'host') headers.append(name, value)
  try {
    const url = `${get.scheme?.toLowerCase() === 'https' ? 'https' : 'http'}://${host}:${get.port}${path}`
    const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(timeout) })
    await response.body?.cancel()
    return response.status
  } catch {
    return 500
  }
}

function probeTcp(port: number, host: string, timeout: number): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, timeout })
    const done = (status: number): void => {
      socket.destroy()
      resolve(status)
    }
    socket.once('connect', () => done(200))
    socket.once('timeout', () => done(500))
    socket.once('error', () => done(500))
  })
}

/** HealthCheckResponse with `status: SERVING`, field 1. */
const SERVING = Uint8Array.of(0x08, 0x01)

function probeGrpc({ port, service = '' }: NonNullable<AppProbe['grpc']>, address: string, timeout: number): Promise<number> {
  const client = new Client(`${address.includes(':') ? `[${address}]` : address}:${port}`, credentials.createInsecure())
  const name = Buffer.from(service)
  // HealthCheckRequest: the name of the service, field 1; names are short.
  const request = name.length === 0 ? name : Buffer.concat([Buffer.of(0x0a, Math.min(name.length, 127)), name.subarray(0, 127)])
  const pass = (bytes: Buffer): Buffer => bytes
  return new Promise((resolve) => {
    const deadline = systemClock.now() + timeout
    client.makeUnaryRequest('/grpc.health.v1.Health/Check', pass, pass, request, { deadline }, (error, answer) => {
      client.close()
      resolve(error === null && answer !== undefined && Buffer.compare(answer, SERVING) === 0 ? 200 : 500)
    })
  })
}
