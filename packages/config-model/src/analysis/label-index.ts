import { selects } from '../names/labels.js'

type Labels = Readonly<Record<string, string>>

/** Things by their labels: a selector looks only at those that have its rarest label. */
export interface LabelIndex<T> {
  readonly all: readonly T[]
  /** Those that have all labels of `selector`; an empty selector selects everything. */
  select(selector: Labels | undefined): readonly T[]
}

export function createLabelIndex<T>(all: readonly T[], labelsOf: (item: T) => Labels): LabelIndex<T> {
  const byLabel = new Map<string, T[]>()
  for (const item of all) {
    for (const [key, value] of Object.entries(labelsOf(item))) {
      const label = `${key}=${value}`
      const list = byLabel.get(label)
      if (list === undefined) byLabel.set(label, [item])
      else list.push(item)
    }
  }
  return {
    all,
    select(selector = {}) {
      let rarest: readonly T[] = all
      for (const [key, value] of Object.entries(selector)) {
        const having = byLabel.get(`${key}=${value}`) ?? []
        if (having.length < rarest.length || rarest === all) rarest = having
      }
      return rarest.filter((item) => selects(selector, labelsOf(item)))
    },
  }
}

/** `app=cart,version=v1`, sorted: how Kubernetes writes a selector. */
export function formatSelector(selector: Labels | undefined = {}): string {
  return Object.keys(selector)
    .sort()
    .map((key) => `${key}=${selector[key]}`)
    .join(',')
}
