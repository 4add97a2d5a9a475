import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Exit codes that scripts can trust. */
export const EXIT = { ok: 0, findings: 1, usage: 64, input: 66, internal: 70 } as const

/** Where a command reads and writes; tests give their own. */
export interface Io {
  out(text: string): void
  err(text: string): void
  /** All of standard input. */
  stdin(): Promise<string>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Colours are wanted: a terminal, and no NO_COLOR. */
  readonly colour: boolean
  /** Resolves when the process is asked to stop (SIGINT, SIGTERM). */
  stopped(): Promise<void>
}

export interface Flag {
  type: 'string' | 'boolean'
  short?: string
  multiple?: boolean
  /** Shown in help: `FILE`, `ADDR`. */
  value?: string
  help: string
}

export interface Command {
  readonly name: string
  readonly summary: string
  /** Positional arguments as help shows them: `METHOD URL`. */
  readonly positionals?: string
  readonly flags: Readonly<Record<string, Flag>>
  run(args: Arguments, io: Io): Promise<number>
}

/** Parsed flags by their long name, with the positionals. */
export interface Arguments {
  string(name: string): string | undefined
  strings(name: string): readonly string[]
  boolean(name: string): boolean
  readonly positionals: readonly string[]
}

/** Wrong use of the command line: printed with the usage line, exit 64. */
export class UsageError extends Error {}

/** A file or folder that cannot be read: exit 66. */
export class InputError extends Error {}

export function parse(command: Command, argv: readonly string[]): Arguments {
  const options: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } }
  for (const [name, { type, short, multiple }] of Object.entries(command.flags)) {
    options[name] = { type, ...(short === undefined ? {} : { short }), ...(multiple === undefined ? {} : { multiple }) }
  }
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true })
    if (command.positionals === undefined && positionals.length > 0) throw new UsageError(`unexpected ${positionals[0]}`)
    return {
      string: (name) => (typeof values[name] === 'string' ? values[name] : undefined),
      strings: (name) =>
        Array.isArray(values[name]) ? (values[name] as string[]) : typeof values[name] === 'string' ? [values[name]] : [],
      boolean: (name) => values[name] === true,
      positionals,
    }
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split('. To specify')[0] ?? error.message) : String(error))
  }
}

/** The value of a flag that must be given. */
export function required(args: Arguments, name: string): string {
  const value = args.string(name)
  if (value === undefined) throw new UsageError(`--${name} is missing`)
  return value
}

/** What `-o` asks for; the first is the default, what is not listed is wrong use. */
export function formatOf<F extends string>(args: Arguments, formats: readonly [F, ...F[]]): F {
  const written = args.string('output') ?? formats[0]
  const format = formats.find((one) => one === written)
  if (format === undefined) throw new UsageError(`-o takes ${formats.join(', ')}, not ${written}`)
  return format
}

/** `-o json` or text; anything else is wrong use. */
export function wantsJson(args: Arguments): boolean {
  return formatOf(args, ['text', 'json']) === 'json'
}

export const outputFlag: Flag = { type: 'string', short: 'o', value: 'json|text', help: 'how to print (default text)' }

export function usageOf(command: Command): string {
  return `usage: heddle ${command.name} [flags]${command.positionals === undefined ? '' : ` ${command.positionals}`}`
}

export function helpOf(command: Command): string {
  const rows = Object.entries(command.flags).map(([name, flag]) => {
    const left = `${flag.short === undefined ? '    ' : `-${flag.short}, `}--${name}${flag.value === undefined ? '' : ` ${flag.value}`}`
    return `  ${left.padEnd(34)} ${flag.help}`
  })
  return [`heddle ${command.name}: ${command.summary}`, '', usageOf(command), ...(rows.length === 0 ? [] : ['', ...rows])].join(
    '\n',
  )
}
