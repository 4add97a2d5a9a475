import type { BenchCase, Contender, RoundContext } from '../../bench-case.js'
import { importCommand } from '../../commands.js'
import { packageVersion } from '../../peers/find.js'
import { missingProtobufPeers } from '../../peers/protobuf.js'
import { start, withProcesses } from '../../running.js'

/** What importing costs a new process of Node. */
interface ImportReport {
  readonly milliseconds: number
  readonly cpuMicros: number
  readonly rssMegabytes: number
  /** A message went through what was imported. */
  readonly works: boolean
}

/** Clusters, endpoints, listeners, routes, secrets and the HTTP connection manager: what every xDS server or client needs. */
export function importCase(): BenchCase {
  return {
    bench: 'xds-types',
    name: 'import of the core set: clusters, endpoints, listeners, routes, secrets, HTTP connection manager',
    unit: 'ms',
    better: 'lower',
    ours: contender('xds-types', 'ours', undefined),
    peers: [
      // Clusters, endpoints, routes and TLS only: less than ours.
      contender(`protobufjs ${packageVersion('protobufjs')} static`, 'static', missingProtobufPeers()),
      contender(`protobuf-es ${packageVersion('@bufbuild/protobuf')} from descriptors`, 'protobuf-es', missingProtobufPeers()),
    ],
  }
}

function contender(name: string, what: string, missing: string | undefined): Contender {
  const run = (context: RoundContext): Promise<ImportReport> =>
    withProcesses(async (keep) => {
      const running = keep(start(context.placement, 'subject', importCommand(what, context.built)))
      return JSON.parse(await running.line()) as ImportReport
    })
  return {
    name,
    missing,
    async check(context) {
      if (!(await run(context)).works) throw new Error('what was imported does not encode')
    },
    async measure(context) {
      const { milliseconds, cpuMicros, rssMegabytes } = await run(context)
      return { value: milliseconds, cpuMicros, more: { 'RSS MB': rssMegabytes } }
    },
  }
}
