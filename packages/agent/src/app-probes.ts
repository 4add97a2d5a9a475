import { connect } from 'node:net'

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
