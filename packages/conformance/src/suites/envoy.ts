import { join } from 'node:path'
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
  async *run({ path, folder }) {
    const subject = shellWords([...(await heddleCommand()), 'proxy'])
    const report = (await runTool(join(folder, '../tools/envoy-diff.mjs'), [
      'check',
      path,
      '-o',
      'json',
      '--subject',
      subject,
    ])) as Report
    yield* Object.values(report).flatMap(({ cases }) => cases)
  },
}
