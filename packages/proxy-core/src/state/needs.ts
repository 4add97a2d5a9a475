import type { Watch } from '@heddle/runtime'
import type { ResourceRef } from '@heddle/xds-types'
import type { Secret } from '../config/compiled.js'
import { fetchTimeoutMs } from '../config/fetch-timeout.js'
import type { Need } from '../xds/warming.js'
import type { NamedValues } from './named-values.js'

/** How long is waited for a resource, and who is told that it did not come. */
type Patience = Pick<Need, 'timeoutMs' | 'expired'>

export function patienceFor(ref: ResourceRef, expired: (typeUrl: string) => void): Patience {
  return { timeoutMs: fetchTimeoutMs(ref.fetchTimeout), expired: () => expired(ref.typeUrl) }
}

/** Nothing for a type that is not waited for. */
export function needOf(ref: ResourceRef, values: Readonly<Record<string, NamedValues<unknown>>>, patience: Patience): Need[] {
  const source = values[ref.typeUrl]
  if (source === undefined) return []
  const { name } = ref
  const what = `${ref.typeUrl.slice(ref.typeUrl.lastIndexOf('.') + 1)} ${name}`
  return [{ ...patience, what, settled: () => source.settled(name), onSettled: (run) => source.onSettled(name, run) }]
}

/** A secret may also come from elsewhere than SDS. */
export function secretNeed(name: string, watch: Watch<Secret | undefined>, sds: NamedValues<Secret>, patience: Patience): Need {
  return {
    ...patience,
    what: `Secret ${name}`,
    settled: () => watch.current !== undefined || sds.settled(name),
    onSettled(run) {
      let told = false
      const once = (): void => {
        if (told) return
        told = true
        run()
      }
      const stops = [watch.subscribe(once), sds.onSettled(name, once)]
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}
