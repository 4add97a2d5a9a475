import type { Result } from '@heddle/runtime'
import type { OnDemand } from '@heddle/xds-types/envoy/extensions/filters/http/on_demand/v3'
import { compileMessage } from '../../config/fields.js'
import type { FilterDeps, HttpFilterFactory, HttpStream } from '../../http/filter.js'

const TYPE = 'envoy.extensions.filters.http.on_demand.v3'
/** A scope's routes, then a virtual host of them. */
const MOST_QUESTIONS = 2

/** envoy.filters.http.on_demand: a request without a route waits until the management server was asked for one (SRDS, VHDS). */
export const onDemandFilter: HttpFilterFactory<undefined> = {
  typeNames: [`${TYPE}.OnDemand`],
  decode: (config, path): Result<undefined> =>
    compileMessage(config as OnDemand, path, (fields) => {
      fields.done()
      return undefined
    }),
  create: (_, deps) => (stream) => ({
    onRequest: () => (isRouted(stream) ? undefined : findRoute(stream, deps)),
  }),
}

function isRouted({ route }: HttpStream): boolean {
  return route !== undefined && route.kind !== 'none'
}

function findRoute(stream: HttpStream, { demandRoute }: FilterDeps): Promise<void> | undefined {
  const first = demandRoute?.(stream.request)
  if (first === undefined) return undefined
  return (async () => {
    let wait: Promise<void> | undefined = first
    for (let asked = 0; wait !== undefined && asked < MOST_QUESTIONS; asked++) {
      await wait
      stream.clearRoute(true)
      wait = isRouted(stream) ? undefined : demandRoute?.(stream.request)
    }
  })()
}
