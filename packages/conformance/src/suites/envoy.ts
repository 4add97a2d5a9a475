import { join } from 'node:path'
import type { DataFile } from '../data.js'
import type { CaseResult, Suite } from '../suite.js'
import { heddleCommand, runTool, shellWords } from './heddle-command.js'

/** By feature. */
type Report = Readonly<Record<string, { readonly cases: readonly CaseResult[] }>>

/** Calls through a running `heddle proxy` -> what Envoy did with them, by the runner beside the data. */
export const envoy: Suite = {
  name: 'envoy',
  file: 'envoy.json',
  ids: (data) =>
    (data as { groups: { id: string; calls: { name: string }[] }[] }).groups.flatMap(({ id, calls }) =>
      calls.map(({ name }) => `${id} > ${name}`),
    ),
  async *run(data) {
    yield* await check(data)
  },
  again: async (data, id) => (await check(data, '--only', id, '--parallel', '1')).find((one) => one.id === id),
}

async function check({ path, folder }: DataFile, ...more: readonly string[]): Promise<readonly CaseResult[]> {
  const subject = shellWords([...(await heddleCommand()), 'proxy'])
  const args = ['check', path, '-o', 'json', '--subject', subject, ...more]
  const report = (await runTool(join(folder, '../tools/envoy-diff.mjs'), args)) as Report
  return Object.values(report).flatMap(({ cases }) => cases)
}
