import { createStore, readYaml, type Store } from '@heddle/config-model'
import { firstDifference, isMap } from '../compare.js'
import { findData } from '../data.js'
import { each, type Suite, type Verdict } from '../suite.js'
import { configDifference, documents, titleOf } from './converted-config.js'
import { type Fixtures, fixtureObjects } from './gateway-api-fixtures.js'
import type { Json } from './mesh.js'

interface Case {
  readonly id: string
  readonly input: string
  readonly want: string
  readonly wantStatus: string
}

/** Objects of the Gateway API -> Istio's configuration and the statuses. Messages of conditions are free. */
export const gatewayApi: Suite = {
  name: 'gateway-api',
  file: 'gateway-api.json',
  async *run(data) {
    const fixtures = findData([data.folder], 'gateway-api-fixtures.json')[0]?.json() as Fixtures | undefined
    if (fixtures === undefined) throw new Error('gateway-api-fixtures.json is missing beside gateway-api.json')
    yield* each(
      data.json() as Case[],
      ({ id }) => id,
      (one) => judge(one, fixtures),
    )
  },
}

function judge({ input, want, wantStatus }: Case, fixtures: Fixtures): Verdict {
  const { resources } = readYaml(input, { file: 'input.yaml' })
  const store = createStore({ domainSuffix: fixtures.domainSuffix, allocateAddresses: false })
  store.apply({ set: [...fixtureObjects(fixtures, resources), ...resources] })
  return configDifference(want, store.snapshot()) ?? statusDifference(wantStatus, store)
}

function statusDifference(want: string, store: Store): string | undefined {
  const got = new Map(
    [...store.collections.statuses.entries()].map(([, { kind, namespace, name, status }]) => [
      titleOf({ kind, metadata: namespace === '' ? { name } : { namespace, name } }),
      status,
    ]),
  )
  const wanted = documents(want).filter(({ status }) => isMap(status) && Object.keys(status).length > 0)
  for (const document of wanted) {
    const title = titleOf(document)
    const found = firstDifference(bare(document['status']), bare(got.get(title)))
    if (found !== undefined) return `status of ${title}: ${found}`
    got.delete(title)
  }
  return got.size === 0 ? undefined : `status of ${[...got.keys()].join(', ')} is not wanted`
}

const FREE: readonly string[] = ['message', 'lastTransitionTime', 'observedGeneration']

/** A status of which all is compared. */
function bare(status: unknown): unknown {
  if (Array.isArray(status)) return status.map(bare)
  if (!isMap(status)) return status
  const kept = Object.entries(status).filter(([name, value]) => !FREE.includes(name) && value !== undefined && value !== null)
  return Object.fromEntries(kept.map(([name, value]) => [name, bare(value)])) as Json
}
