import type { ProxySettings } from './settings.js'

export interface ProxyCommand {
  readonly command: string
  readonly args: readonly string[]
}

export interface ProxyBinary {
  /** `envoy`: Istio's or a stock one. `heddle`: ours. */
  readonly kind: 'envoy' | 'heddle'
  readonly path: string
  /** Before all others: `['heddle.js', 'proxy']`. */
  readonly args?: readonly string[]
  /** An Envoy without Istio's own filters: the control plane then sends none. */
  readonly stock?: boolean
}

export interface ProxyLogging {
  /** Default warning. */
  readonly level?: string
  /** Of Envoy: `misc:error`. */
  readonly componentLevel?: string
}

/** How the proxy is started: pilot-agent's command line for Envoy, the flags of it that ours has for ours. */
export function proxyCommand(
  binary: ProxyBinary,
  file: string,
  settings: ProxySettings,
  logging: ProxyLogging = {},
): ProxyCommand {
  const { level = 'warning', componentLevel } = logging
  const { drainMs, parentShutdownMs, proxyConfig } = settings
  const common = ['-c', file, '--drain-time-s', seconds(drainMs), '-l', level]
  if (binary.kind === 'heddle') return { command: binary.path, args: [...(binary.args ?? []), ...common] }
  const concurrency = proxyConfig.concurrency === undefined ? [] : ['--concurrency', String(proxyConfig.concurrency)]
  return {
    command: binary.path,
    args: [
      ...(binary.args ?? []),
      ...common,
      ...['--drain-strategy', 'immediate', '--parent-shutdown-time-s', seconds(parentShutdownMs)],
      ...['--local-address-ip-version', 'v4', '--file-flush-interval-msec', '1000', '--disable-hot-restart'],
      '--allow-unknown-static-fields',
      ...(componentLevel === undefined ? [] : ['--component-log-level', componentLevel]),
      ...concurrency,
    ],
  }
}

const seconds = (ms: number): string => String(Math.ceil(ms / 1000))
