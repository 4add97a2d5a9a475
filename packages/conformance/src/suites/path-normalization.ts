import { each, type Suite, type Verdict } from '../suite.js'
import { startLiveListener } from './live-listener.js'
import { type Json, listAt, mapAt, meshOf, proxyOf, textAt, translated } from './mesh.js'

interface Case {
  readonly mode: string
  readonly in: string
  /** What the backend sees, or 400. */
  readonly out: string
}

/** A path as a client sends it -> the path that the backend sees, under each of Istio's modes; through a live listener with what the translator makes of the mode. */
export const pathNormalization: Suite = {
  name: 'path-normalization',
  file: 'path-normalization.json',
  ids: (data) => (data as Case[]).map(idOf),
  async *run(data) {
    const cases = data.json() as Case[]
    for (const mode of new Set(cases.map((one) => one.mode))) {
      const listener = await startLiveListener(normalizationOf(mode))
      try {
        yield* each(
          cases.filter((one) => one.mode === mode),
          idOf,
          async ({ in: path, out }): Promise<Verdict> => {
            const request = `GET ${path} HTTP/1.1\r\nhost: app\r\nconnection: close\r\n\r\n`
            const { status, upstream } = await listener.send(Buffer.from(request, 'utf8'))
            const got = status === 200 ? pathOf(upstream) : String(status)
            return got === String(out) ? undefined : `want ${out}, got ${got}`
          },
        )
      } finally {
        await listener.close()
      }
    }
  },
}

const idOf = ({ mode, in: path }: Case): string => `${mode} ${path}`

const pathOf = (upstream: string): string =>
  Buffer.from(upstream.slice(0, upstream.indexOf('\r\n')), 'latin1')
    .toString('utf8')
    .split(' ')
    .slice(1, -1)
    .join(' ')

const FIELDS = ['normalize_path', 'merge_slashes', 'path_with_escaped_slashes_action']

/** The fields of a sidecar's inbound HTTP manager that say how paths are normalised. */
function normalizationOf(mode: string): Json {
  const snapshot = meshOf([], { pathNormalization: { normalization: mode } })
  const { listeners } = translated(snapshot, proxyOf({ id: 'app-0', ip: '10.0.0.1' }))
  const inbound = listeners.find((one) => textAt(one, 'name') === 'virtualInbound')
  const managers = listAt(inbound, 'filter_chains')
    .flatMap((chain) => listAt(chain, 'filters'))
    .map((filter) => mapAt(filter, 'typed_config'))
    .filter((config) => config?.['http_filters'] !== undefined)
  if (managers[0] === undefined) throw new Error('no inbound HTTP manager')
  return Object.fromEntries(Object.entries(managers[0]).filter(([field]) => FIELDS.includes(field)))
}
