import { readYaml } from '@heddle/config-model'
import { formatForEditors } from '@heddle/config-model/analysis'
import { type Diagnostic, formatDiagnostic } from '@heddle/runtime'
import { type Command, EXIT, formatOf, type Io, UsageError } from '../command.js'
import { readText, yamlFiles } from '../files.js'

const FORMATS = ['text', 'json', 'log'] as const
type Format = (typeof FORMATS)[number]

async function findingsIn(paths: readonly string[], io: Io): Promise<{ objects: number; findings: Diagnostic[] }> {
  let objects = 0
  const findings: Diagnostic[] = []
  for (const file of yamlFiles(paths)) {
    const { resources, others, refused, diagnostics } = readYaml(await readText(file, io), { file })
    objects += resources.length + others.length + refused.length
    findings.push(...diagnostics)
  }
  return { objects, findings }
}

function print(format: Format, io: Io, objects: number, findings: readonly Diagnostic[]): void {
  if (format === 'json') io.out(`${JSON.stringify(findings, undefined, 2)}\n`)
  if (format === 'log') for (const finding of findings) io.out(`${formatForEditors(finding)}\n`)
  if (format !== 'text') return
  const paint = (diagnostic: Diagnostic): string => {
    const line = formatDiagnostic(diagnostic)
    return io.colour ? line.replace(diagnostic.severity, (word) => `\x1b[${word === 'error' ? 31 : 33}m${word}\x1b[0m`) : line
  }
  for (const finding of findings) io.out(`${paint(finding)}\n`)
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const warnings = findings.length === 1 ? '1 warning' : `${findings.length} warnings`
  if (errors > 0) return
  io.out(`${objects} ${objects === 1 ? 'object is' : 'objects are'} valid${findings.length === 0 ? '' : `, with ${warnings}`}.\n`)
}

/** `istioctl validate`: schema and semantics, without a cluster. */
export const validate: Command = {
  name: 'validate',
  summary: 'check Istio and Kubernetes YAML: fields, values, rules',
  positionals: '[FILE…]',
  flags: {
    filename: {
      type: 'string',
      short: 'f',
      multiple: true,
      value: 'FILE',
      help: 'file or folder; - is standard input; may be repeated',
    },
    output: { type: 'string', short: 'o', value: 'text|json|log', help: 'how to print (default text); log is for editors' },
  },
  async run(args, io) {
    const paths = [...args.strings('filename'), ...args.positionals]
    if (paths.length === 0) throw new UsageError('-f FILE is missing')
    const format = formatOf(args, FORMATS)
    const { objects, findings } = await findingsIn(paths, io)
    print(format, io, objects, findings)
    return findings.some(({ severity }) => severity === 'error') ? EXIT.findings : EXIT.ok
  },
}
