import type { Result } from '@heddle/runtime'
import type { AccessLogEntry } from '../access-log.js'

/** What a command operator yields; undefined: `-` in text, null in JSON. */
export type LogValue = string | number | boolean | object | undefined
export type Operator = (entry: AccessLogEntry) => LogValue

/** Operators that take no argument, by name. */
export type PlainOperators = Readonly<Record<string, Operator>>
/** Compiles the argument of an operator; empty: there is none. */
export type MakeOperator = (args: string, path: string) => Result<Operator>

export const present = (value: string | undefined): string | undefined =>
  value === undefined || value === '' ? undefined : value

const WHITESPACE = /\s/g

/** As it may stand in a line of words: the reasons that OpenSSL tells end with a newline, which would end the line, too. */
export const inOneWord = (reason: string | undefined): string | undefined => reason?.replace(WHITESPACE, '_')

const decoder = new TextDecoder()

/** Header values are octets in a string; a log is UTF-8. */
export function text(octets: string | undefined): string | undefined {
  if (octets === undefined || isAscii(octets)) return octets
  return decoder.decode(Uint8Array.from(octets, (character) => character.charCodeAt(0)))
}

function isAscii(octets: string): boolean {
  for (let i = 0; i < octets.length; i++) if (octets.charCodeAt(i) > 127) return false
  return true
}
