import type { Fields } from './fields.js'

/** The clusters that the routes of a table name. */
export interface RouteClusters {
  readonly names: ReadonlySet<string>
  /** A field of `fields` names one. */
  add<T>(name: string, fields: Fields<T>, field: keyof T & string): void
}

/** `isKnown`, of `validate_clusters`: a name that it does not know is a problem. Absent: requests find out. */
export function createRouteClusters(isKnown: ((name: string) => boolean) | undefined): RouteClusters {
  const names = new Set<string>()
  return {
    names,
    add(name, fields, field) {
      names.add(name)
      if (isKnown?.(name) === false)
        fields.problem(`names a cluster that is not there: ${JSON.stringify(name)} (validate_clusters).`, field)
    },
  }
}
