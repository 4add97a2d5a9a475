import { into, type Site } from '../decode/site.js'

/** Runs `check` for each element of the list at `site` `key`, with the place of the element. */
export function each<T>(
  list: readonly T[] | undefined,
  site: Site,
  key: string,
  check: (element: T, at: Site, index: number) => void,
): void {
  if (list === undefined || list.length === 0) return
  const place = into(site, key)
  list.forEach((element, i) => {
    check(element, into(place, i), i)
  })
}

/** Runs `check` for each entry of the object at `site` `key`. */
export function eachEntry<T>(
  map: Readonly<Record<string, T>> | undefined,
  site: Site,
  key: string,
  check: (name: string, value: T, at: Site) => void,
): void {
  if (map === undefined) return
  const place = into(site, key)
  for (const name of Object.keys(map)) check(name, map[name] as T, into(place, name))
}
