import {
  ANALYZERS,
  type AnalysisMessage,
  analyzeFiles,
  formatForEditors,
  formatForPeople,
  isMessageCode,
  messageToJson,
  parseSuppression,
  type Suppression,
} from '@heddle/config-model/analysis'
import { type Severity, systemClock } from '@heddle/runtime'
import { type Arguments, type Command, EXIT, formatOf, type Io, UsageError } from '../command.js'
import { readMeshConfigFlag } from '../config.js'
import { readText, yamlFiles } from '../files.js'

const LEVELS: Readonly<Record<string, Severity>> = { error: 'error', warning: 'warning', info: 'info' }
const RANK = { error: 2, warning: 1, info: 0 } as const

function threshold(args: Arguments, flag: string, otherwise: Severity): (message: AnalysisMessage) => boolean {
  const written = args.string(flag)
  const level = written === undefined ? otherwise : LEVELS[written.toLowerCase()]
  if (level === undefined) throw new UsageError(`--${flag} takes Error, Warning or Info, not ${written}`)
  return ({ severity }) => RANK[severity] >= RANK[level]
}

function suppressionsOf(args: Arguments, io: Io): Suppression[] {
  return args.strings('suppress').map((text) => {
    const suppression = parseSuppression(text)
    if (suppression === undefined) throw new UsageError(`--suppress takes CODE=OBJECT, such as "IST0103=Pod shop/*", not ${text}`)
    if (!isMessageCode(suppression.code)) io.err(`--suppress ${text}: there is no message ${suppression.code}\n`)
    return suppression
  })
}

const COLOUR = { error: 31, warning: 33, info: 36 } as const

function print(messages: readonly AnalysisMessage[], format: 'text' | 'json' | 'log', args: Arguments, io: Io): void {
  if (format === 'json') {
    io.out(`${JSON.stringify(messages.map(messageToJson), undefined, 2)}\n`)
    return
  }
  for (const message of messages) {
    const line = format === 'log' ? formatForEditors(message) : formatForPeople(message)
    const paint = io.colour && format === 'text'
    io.out(`${paint ? line.replace(/^\w+/, (word) => `\x1b[${COLOUR[message.severity]}m${word}\x1b[0m`) : line}\n`)
  }
  if (messages.length === 0 && format === 'text') io.out(`No issues found in ${args.positionals.join(', ')}.\n`)
}

/** `istioctl analyze --use-kube=false`: what is wrong between objects, without a cluster. */
export const analyze: Command = {
  name: 'analyze',
  summary: 'find mistakes between objects: names that lead nowhere, routes and policies without effect',
  positionals: 'PATH…',
  flags: {
    output: { type: 'string', short: 'o', value: 'text|json|log', help: 'how to print (default text); log is for editors' },
    suppress: {
      type: 'string',
      short: 'S',
      multiple: true,
      value: 'CODE=OBJECT',
      help: 'keep a message quiet, such as "IST0103=Pod shop/*"; may be repeated',
    },
    'failure-threshold': {
      type: 'string',
      value: 'LEVEL',
      help: 'exit 1 from this level on: Error, Warning, Info (default Error)',
    },
    'output-threshold': { type: 'string', value: 'LEVEL', help: 'print from this level on (default Info)' },
    'mesh-config': { type: 'string', value: 'FILE', help: 'mesh config, laid over Istio’s defaults' },
    namespace: { type: 'string', short: 'n', value: 'NAME', help: 'of objects that name none (default "default")' },
    'list-analyzers': { type: 'boolean', short: 'L', help: 'say which analyzers there are' },
  },
  async run(args, io) {
    if (args.boolean('list-analyzers')) {
      const width = Math.max(...ANALYZERS.map(({ name }) => name.length))
      for (const { name, summary } of ANALYZERS) io.out(`${name.padEnd(width)}  ${summary}\n`)
      return EXIT.ok
    }
    if (args.positionals.length === 0) throw new UsageError('PATH is missing')
    const format = formatOf(args, ['text', 'json', 'log'])
    const fails = threshold(args, 'failure-threshold', 'error')
    const shows = threshold(args, 'output-threshold', 'info')
    const suppressions = suppressionsOf(args, io)
    const meshConfig = await readMeshConfigFlag(args, io)
    const defaultNamespace = args.string('namespace')
    // One after another: of several that cannot be read the first is told.
    const files: { readonly file: string; readonly text: string }[] = []
    for (const file of yamlFiles(args.positionals)) files.push({ file, text: await readText(file, io) })
    const messages = analyzeFiles(files, {
      now: systemClock.now(),
      suppressions,
      ...(meshConfig === undefined ? {} : { meshConfig }),
      ...(defaultNamespace === undefined ? {} : { defaultNamespace }),
    })
    print(messages.filter(shows), format, args, io)
    return messages.some(fails) ? EXIT.findings : EXIT.ok
  },
}
