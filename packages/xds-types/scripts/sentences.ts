import { readFileSync } from 'node:fs'
import path from 'node:path'
import type protobuf from 'protobufjs'
import { textFiles } from './load.js'

export const SENTENCES: string = path.join(import.meta.dirname, '../sentences')

/** Sentences of our own on what fields mean and in which unit, by full name, each used once. */
export interface Sentences {
  of(field: protobuf.Field): string | undefined
  /** Names that no field has. */
  readonly unused: readonly string[]
}

/** Reads the folder: a line with a message's full name, then its fields, indented: `  name: sentence`. */
export function readSentences(): Sentences {
  const byName = new Map<string, string>()
  for (const file of textFiles(SENTENCES, '.txt')) {
    let message = ''
    for (const [at, line] of readFileSync(path.join(SENTENCES, file), 'utf8').split('\n').entries()) {
      const field = /^ {2}(\w+): (\S.*)$/.exec(line)
      if (field !== null) {
        const name = `${message}.${field[1]}`
        if (byName.has(name)) throw new Error(`${file}:${at + 1}: ${name} has two sentences`)
        byName.set(name, field[2] as string)
      } else if (/^[\w.]+$/.test(line)) message = line
      else if (line !== '' && !line.startsWith('#')) throw new Error(`${file}:${at + 1}: neither a message nor a field: ${line}`)
    }
  }
  const unused = new Set(byName.keys())
  return {
    of(field) {
      const name = field.fullName.slice(1)
      unused.delete(name)
      return byName.get(name)
    },
    get unused() {
      return [...unused]
    },
  }
}
