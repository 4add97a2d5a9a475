import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const DECLARED = /^export (?:declare )?(?:abstract )?(const|let|function|class|interface|type|enum|namespace) ([\w$]+)/gm
const LISTED = /^export (type )?\{([^}]*)\}/gm
const STARRED = /^export (?:type )?\*( as [\w$]+)? from ['"]([^'"]+)['"]/gm

/**
 * The names that a declaration file exports; types have `type ` before them. Files behind `export *` are read too.
 * A name that is a value and a type is a value.
 */
export function exportedNames(file: string): readonly string[] {
  const values = new Set<string>()
  const types = new Set<string>()
  const add = (isType: boolean, name: string): void => void (isType ? types : values).add(name)
  const read = (path: string): void => {
    const text = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
    for (const [, kind, name = ''] of text.matchAll(DECLARED)) add(kind === 'interface' || kind === 'type', name)
    for (const [, typeOnly, list = ''] of text.matchAll(LISTED))
      for (const item of list
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== '')) {
        const [, mark, name = ''] = /^(type )?(?:[\w$]+ as )?([\w$]+)$/.exec(item) ?? []
        add(typeOnly !== undefined || mark !== undefined, name)
      }
    for (const [, alias, specifier = ''] of text.matchAll(STARRED)) {
      const target = join(dirname(path), specifier.replace(/\.js$/, '.d.ts'))
      if (alias !== undefined) values.add(alias.slice(4))
      else if (existsSync(target)) read(target)
    }
  }
  read(file)
  return [
    ...[...values].sort(),
    ...[...types]
      .filter((name) => !values.has(name))
      .sort()
      .map((name) => `type ${name}`),
  ]
}
