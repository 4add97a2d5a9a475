import type { Watch } from '@heddle/runtime'
import type { ResourceRef } from '@heddle/xds-types'
import type { Secret } from '../config/compiled.js'
import type { Need } from '../xds/warming.js'
import type { NamedValues } from './named-values.js'

/** Nothing for a type that is not waited for. */
export function needOf(ref: ResourceRef, values: Readonly<Record<string, NamedValues<unknown>>>): Need[] {
  const source = values[ref.typeUrl]
  if (source === undefined) return []
  const { name } = ref
  const what = `${ref.typeUrl.slice(ref.typeUrl.lastIndexOf('.') + 1)} ${name}`
  return [{ what, settled: () => source.settled(name), onSettled: (run) => source.onSettled(name, run) }]
}

/** A secret may also come from elsewhere than SDS. */
export function secretNeed(name: string, watch: Watch<Secret | undefined>, sds: NamedValues<Secret>): Need {
  return {
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
