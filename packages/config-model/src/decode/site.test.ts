import { expect, it } from 'vitest'
import { formatPath, into, parsePath, pathOf, refuse, rootSite, warn } from './site.js'

it.each([
  ['', []],
  ['spec', ['spec']],
  ['spec.http[0].route[12].weight', ['spec', 'http', 0, 'route', 12, 'weight']],
  ['metadata.labels["app.kubernetes.io/name"]', ['metadata', 'labels', 'app.kubernetes.io/name']],
  ['headers.x-user["a\\"b"]', ['headers', 'x-user', 'a"b']],
  ['ports["80"]', ['ports', '80']],
] as [string, (string | number)[]][])('writes and reads %s', (path, keys) => {
  expect(formatPath(keys)).toBe(path)
  expect(parsePath(path)).toEqual(keys)
})

it.each(['a b', '[x]', 'a..b', 'a["b'])('does not read %j', (path) => {
  expect(parsePath(path)).toBeUndefined()
})

it('tells problems with their paths', () => {
  const root = rootSite()
  const at = into(into(root, 'spec'), 'hosts')
  refuse(into(at, 1), 'c', 'bad')
  warn(root, 'd', 'hm')
  expect(pathOf(at)).toBe('spec.hosts')
  expect(root.found).toEqual([
    { code: 'c', severity: 'error', message: 'bad', path: 'spec.hosts[1]' },
    { code: 'd', severity: 'warning', message: 'hm', path: '' },
  ])
})
