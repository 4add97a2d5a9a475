import { type Command, EXIT, UsageError } from '../command.js'

type Shell = (commands: readonly Command[]) => string

/** Its flags, and its positionals where they are words to choose from: `bash|zsh|fish`. */
const wordsOf = ({ flags, positionals = '' }: Command): string[] => [
  ...Object.entries(flags).flatMap(([name, { short }]) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]),
  ...(/^[a-z|]+$/.test(positionals) ? positionals.split('|') : []),
  '--help',
]

/** `ca init` and `ca issue` are two commands behind one word. */
function byFirstWord(commands: readonly Command[]): readonly (readonly [word: string, words: readonly string[]])[] {
  const words = new Map<string, Set<string>>()
  for (const command of commands) {
    const [first = '', ...more] = command.name.split(' ')
    words.set(first, new Set([...(words.get(first) ?? []), ...more, ...wordsOf(command)]))
  }
  return [...words].map(([word, follow]) => [word, [...follow]])
}

const bash: Shell = (commands) => `_heddle() {
  local cur=\${COMP_WORDS[COMP_CWORD]} words=
  if [ "$COMP_CWORD" -eq 1 ]; then words="${[...byFirstWord(commands).map(([word]) => word), 'help'].join(' ')}"
  else case "\${COMP_WORDS[1]}" in
${byFirstWord(commands)
  .map(([word, words]) => `    ${word}) words="${words.join(' ')}" ;;`)
  .join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  [ "\${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -F _heddle heddle
`

const zsh: Shell = (commands) => `#compdef heddle
autoload -U +X bashcompinit && bashcompinit
${bash(commands)}`

const quote = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`

const fish: Shell = (commands) =>
  `${commands
    .flatMap((c) => {
      const [word = ''] = c.name.split(' ')
      const flags = Object.entries(c.flags).map(
        ([name, flag]) =>
          `complete -c heddle -n '__fish_seen_subcommand_from ${word}' -l ${name}${flag.short === undefined ? '' : ` -s ${flag.short}`}${flag.type === 'string' ? ' -r' : ''} -d ${quote(flag.help)}`,
      )
      return [`complete -c heddle -n __fish_use_subcommand -a ${word} -d ${quote(c.summary)}`, ...flags]
    })
    .join('\n')}\n`

const powershell: Shell = (commands) => {
  const rows = byFirstWord(commands).map(([word, words]) => `    ${quoteTwice(word)} = @(${words.map(quoteTwice).join(', ')})`)
  return `Register-ArgumentCompleter -Native -CommandName heddle -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $follow = @{
${rows.join('\n')}
  }
  $elements = @($commandAst.CommandElements | ForEach-Object { $_.ToString() })
  $first = $elements.Count -lt 2 -or ($elements.Count -eq 2 -and $wordToComplete -ne '')
  $words = if ($first) { @($follow.Keys) + 'help' } else { $follow[$elements[1]] }
  $words | Where-Object { $_ -like "$wordToComplete*" } | Sort-Object | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`
}

/** A string of PowerShell: a quote in it is doubled. */
const quoteTwice = (text: string): string => `'${text.replaceAll("'", "''")}'`

const SHELLS: Readonly<Record<string, Shell>> = { bash, zsh, fish, powershell }

/** Takes the list of commands by argument, since it is one of them. */
export function completion(commands: () => Promise<readonly Command[]>): Command {
  return {
    name: 'completion',
    summary: 'a completion script for your shell',
    positionals: 'bash|zsh|fish|powershell',
    flags: {},
    async run(args, io) {
      const shell = SHELLS[args.positionals[0] ?? '']
      if (shell === undefined || args.positionals.length !== 1)
        throw new UsageError('completion takes one of bash, zsh, fish, powershell')
      io.out(shell(await commands()))
      return EXIT.ok
    },
  }
}
