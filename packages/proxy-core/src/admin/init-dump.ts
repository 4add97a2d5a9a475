import { resourceTypes } from '@heddle/xds-types/known'
import type { ResourceRecord } from '../state/warmed-set.js'
import { type AdminViews, json, type Page } from './page.js'

/** What warming listeners wait for, and clusters. Envoy's init managers by name; their targets are what is missing, by type and name. */
export const initDump: Page = {
  path: '/init_dump',
  help: 'dump current Envoy init manager information (experimental)',
  parameters: { mask: 'listener: what warming listeners wait for, alone' },
  answer(query, views) {
    const mask = query.get('mask')
    const kinds = mask === null ? ['Listener', 'Cluster'] : mask === 'listener' ? ['Listener'] : []
    const dumps = kinds.flatMap((kind) => unreadyOf(kind, views.records()))
    return json(dumps.length === 0 ? {} : { unready_targets_dumps: dumps })
  },
}

function unreadyOf(kind: string, records: ReturnType<AdminViews['records']>): object[] {
  const type = resourceTypes.find(({ shortName }) => shortName === kind)
  if (type === undefined) return []
  return (records.get(type.typeUrl) ?? [])
    .filter(({ state }) => state === 'warming')
    .map((record) => ({
      name: `init manager ${kind}-local-init-manager ${record.name}`,
      target_names: type
        .references(record.message as never)
        .filter(({ typeUrl, name }) => !isActive(records.get(typeUrl) ?? [], name))
        .map(({ typeUrl, name }) => `target ${typeUrl.slice(typeUrl.lastIndexOf('.') + 1)} ${name}`),
    }))
}

const isActive = (records: readonly ResourceRecord[], name: string): boolean =>
  records.some((record) => record.name === name && record.state !== 'warming')
