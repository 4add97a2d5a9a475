import { readYaml } from '@heddle/config-model'
import { ANALYZERS, analyzeFiles, analyzeResources } from '@heddle/config-model/analysis'
import { stringify } from 'yaml'
import { meshDestinationRule, meshPods, meshService, meshVirtualService } from './meshes.js'

const pods = process.argv[2] === 'pods'
const text = Array.from({ length: 1000 }, (_, i) => [
  meshService(i),
  meshVirtualService(i),
  meshDestinationRule(i),
  ...(pods ? meshPods(i) : []),
])
  .flat()
  .map((o) => stringify(o))
  .join('---\n')
const cpu = () => {
  const u = process.cpuUsage()
  return ((u.user + u.system) / 1000) | 0
}
for (let k = 0; k < 5; k++) {
  let t = cpu()
  const r = readYaml(text, { file: 'f' })
  const a = cpu() - t
  t = cpu()
  const m = analyzeFiles([{ file: 'f', text }], { now: 0 })
  const b = cpu() - t
  t = cpu()
  const e = analyzeFiles([{ file: 'f', text }], { now: 0, analyzers: [] })
  const c = cpu() - t
  console.log('cpu ms: read', a, 'analyzeFiles', b, 'no analyzers', c, m.length, r.resources.length)
}
const rs = readYaml(text, { file: 'f' }).resources
for (let k = 0; k < 3; k++) {
  const t = cpu()
  analyzeResources(rs, { now: 0 })
  console.log('resources', cpu() - t)
}
const list: [string, number][] = []
for (const a of ANALYZERS) {
  const t = cpu()
  for (let k = 0; k < 3; k++) analyzeResources(rs, { now: 0, analyzers: [a] })
  list.push([a.name, (cpu() - t) / 3])
}
console.log(list.sort((x, y) => y[1] - x[1]).slice(0, 8))
