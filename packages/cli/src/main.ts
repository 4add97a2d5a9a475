import { suggest } from '@heddle/runtime'
import { type Command, EXIT, helpOf, InputError, type Io, parse, UsageError, usageOf } from './command.js'
import { commandNames, loadCommands } from './commands/index.js'

async function overview(): Promise<string> {
  const commands = await loadCommands(commandNames)
  const width = Math.max(...commandNames.map((name) => name.length))
  const rows = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return [
    'heddle: service-mesh building blocks on the command line',
    '',
    'usage: heddle COMMAND [flags]',
    '',
    ...rows,
    '',
    'heddle COMMAND --help tells its flags.',
  ].join('\n')
}

/** The command whose words (`manifest webhook` has two) begin `argv`, the longest first. */
async function find(argv: readonly string[]): Promise<{ command: Command; rest: readonly string[] } | undefined> {
  const found = commandNames
    .filter((name) => name.split(' ').every((word, i) => argv[i] === word))
    .sort((a, b) => b.length - a.length)
    .slice(0, 1)
  const [command] = await loadCommands(found)
  return command === undefined ? undefined : { command, rest: argv.slice(command.name.split(' ').length) }
}

/** `heddle ca` alone tells the commands behind the word; what is none of them is wrong use. */
async function without([first, next]: readonly string[], io: Io): Promise<number> {
  const behind = await loadCommands(commandNames.filter((name) => name.startsWith(`${first} `)))
  const asked = next === '--help' || next === '-h'
  const list = behind.map(({ name, summary }) => `  heddle ${name}  ${summary}\n`).join('')
  if (behind.length === 0) io.err(`heddle: no command ${JSON.stringify(first)}.${meant(first ?? '')} heddle --help lists them.\n`)
  else if (asked) io.out(list)
  else io.err(`heddle: no command ${JSON.stringify([first, next].filter(Boolean).join(' '))}; there are:\n${list}`)
  return behind.length > 0 && asked ? EXIT.ok : EXIT.usage
}

/** istioctl's other names. */
const ALIASES: Readonly<Record<string, string>> = { 'kube-inject': 'inject', pc: 'proxy-config', ps: 'proxy-status' }

/** `heddle help ca init` is `heddle ca init --help`, and `heddle --version` is `heddle version`. */
function rewritten(argv: readonly string[]): readonly string[] {
  const [first = '', ...rest] = argv
  if (Object.hasOwn(ALIASES, first)) return [ALIASES[first] ?? first, ...rest]
  if (first === 'help' && rest.length > 0) return [...rest, '--help']
  return first === '--version' || first === '-V' ? ['version', ...rest] : argv
}

/** The command that was probably meant: begun alike, or with a letter or two amiss. */
function meant(word: string): string {
  const words = [...new Set(commandNames.map((name) => name.split(' ')[0] ?? name))]
  const near = words.find((name) => name.startsWith(word)) ?? suggest(word, words)
  return near === undefined || word.length < 2 ? '' : ` Did you mean ${near}?`
}

/** Runs the command line `given` (without the program) and gives the exit code. Never throws. */
export async function main(given: readonly string[], io: Io): Promise<number> {
  const argv = rewritten(given)
  if (argv.length === 0 || argv[0] === '--help' || argv[0] === '-h' || argv[0] === 'help') {
    io.out(`${await overview()}\n`)
    return argv.length === 0 ? EXIT.usage : EXIT.ok
  }
  const found = await find(argv)
  if (found === undefined) return without(argv, io)
  const { command, rest } = found
  if (rest.includes('--help') || rest.includes('-h')) {
    io.out(`${helpOf(command)}\n`)
    return EXIT.ok
  }
  try {
    return await command.run(parse(command, rest), io)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (error instanceof UsageError) io.err(`heddle ${command.name}: ${message}\n${usageOf(command)}\n`)
    else io.err(`heddle ${command.name}: ${message}\n`)
    return error instanceof UsageError ? EXIT.usage : error instanceof InputError ? EXIT.input : EXIT.internal
  }
}
