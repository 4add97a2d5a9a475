import { join } from 'node:path'
import type { CaseResult, Suite } from '../suite.js'
import { heddleCommand, runTool, shellWords } from './heddle-command.js'

interface Report {
  readonly cases: readonly {
    readonly id: string
    readonly failed?: string
    readonly equal: number
    readonly total: number
    readonly differences: number
  }[]
}

/** Whole meshes -> what istiod gave each proxy, by the runner beside the data and `heddle translate`. Resources are counted, not cases. */
export const istiod: Suite = {
  name: 'istiod',
  file: 'istiod.json',
  async *run({ path, folder }) {
    const command = `${shellWords(await heddleCommand())} translate --config {config} --mesh-config {mesh} --proxy {proxies} -o json`
    const args = ['--cases', path, '--run', command, '--jobs', '2', '-o', 'json']
    const { cases } = (await runTool(join(folder, '../tools/compare-xds.mjs'), args)) as Report
    yield* cases.map(resultOf)
  },
}

function resultOf({ id, failed, equal, total, differences }: Report['cases'][number]): CaseResult {
  const parts = { passed: equal, total }
  if (failed === undefined && differences === 0) return { id, ok: true, parts }
  const why =
    failed ?? `${equal} of ${total} resources are equal, ${differences} differences (compare-xds.mjs --diff ${id} shows them)`
  return { id, ok: false, why, parts }
}
