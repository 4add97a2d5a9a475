import type { ExplainedResult } from '@heddle/proxy-core'
import type { MeshExplanation } from './explain-request.js'
import type { TracedLoser, TracedSource, TracedStage } from './trace.js'

/** An explanation for people: a line a stage, what lost below it, and the YAML behind each. */
export function formatExplanation({ hops, reached, result }: MeshExplanation): string {
  const lines = hops.flatMap(({ proxy, direction, stages }) => [`${proxy}, ${direction}`, ...stages.flatMap(formatStage)])
  lines.push(reached === undefined ? formatResult(result) : `reaches ${reached}`)
  return lines.join('\n')
}

const STAGE_WIDTH = 15

function formatStage(stage: TracedStage): string[] {
  const why = stage.reason === undefined ? '' : ` (${stage.reason})`
  const mark = stage.outcome === 'stop' || stage.outcome === 'reply' ? '✗' : ' '
  return [
    `${mark} ${stage.stage.padEnd(STAGE_WIDTH)} ${stage.name}${why}${formatSource(stage.source)}`,
    ...stage.losers.map(formatLoser),
  ]
}

function formatLoser({ name, reason, source }: TracedLoser): string {
  return `    ${'not'.padEnd(STAGE_WIDTH - 2)} ${name}: ${reason}${formatSource(source)}`
}

function formatSource(source: TracedSource | undefined): string {
  if (source === undefined) return ''
  const { object, path, origin } = source
  const line = origin === undefined ? '' : `${origin.file}:${origin.line} `
  return `  ← ${line}${object}${path === '' ? '' : ` ${path}`}`
}

export function formatResult(result: ExplainedResult): string {
  switch (result.kind) {
    case 'forward':
      return `leaves for ${result.endpoint} (${result.cluster})`
    case 'reply':
      return `the proxy answers ${result.status} ${result.details}`
    case 'close':
      return `the proxy closes the connection: ${result.reason}`
  }
}
