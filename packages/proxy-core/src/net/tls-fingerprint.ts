import { createHash } from 'node:crypto'
import type { ClientHelloParts } from './client-hello.js'

/** Fingerprints of ClientHellos that connections keep. */
export interface WantedFingerprints {
  readonly ja3: boolean
  readonly ja4: boolean
}

const SERVER_NAME = 0
const ALPN = 16

/** GREASE (RFC 8701): values that clients put in at random. */
const isGrease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)
const real = (values: readonly number[]): readonly number[] => values.filter((value) => !isGrease(value))
const dashed = (values: readonly number[]): string => real(values).join('-')
const hex = (value: number): string => value.toString(16).padStart(4, '0')

/** MD5 of what a ClientHello offers, in its order (github.com/salesforce/ja3). */
export function ja3Of(hello: ClientHelloParts): string {
  const { version, ciphers, extensions, groups, pointFormats } = hello
  const text = [version, dashed(ciphers), dashed(extensions), dashed(groups), pointFormats.join('-')].join(',')
  return createHash('md5').update(text).digest('hex')
}

const VERSIONS: Readonly<Record<number, string>> = { 772: '13', 771: '12', 770: '11', 769: '10', 768: 's3' }
const MOST_COUNTED = 99
const EMPTY_HASH = '000000000000'

/** The same whatever the order of what is offered (github.com/FoxIO-LLC/ja4, JA4). */
export function ja4Of(hello: ClientHelloParts): string {
  const ciphers = real(hello.ciphers)
  const extensions = real(hello.extensions)
  const version = VERSIONS[Math.max(hello.version, ...real(hello.versions))] ?? '00'
  const named = extensions.includes(SERVER_NAME) ? 'd' : 'i'
  const head = `t${version}${named}${count(ciphers)}${count(extensions)}${alpnMark(hello.alpn[0])}`
  const sorted = extensions
    .filter((type) => type !== SERVER_NAME && type !== ALPN)
    .map(hex)
    .sort()
    .join(',')
  const algorithms = real(hello.signatureAlgorithms).map(hex).join(',')
  const offered = algorithms === '' ? sorted : `${sorted}_${algorithms}`
  return `${head}_${shortHash(ciphers.map(hex).sort().join(','))}_${shortHash(offered)}`
}

const count = ({ length }: readonly number[]): string => String(Math.min(length, MOST_COUNTED)).padStart(2, '0')
const shortHash = (text: string): string =>
  text === '' ? EMPTY_HASH : createHash('sha256').update(text).digest('hex').slice(0, 12)

/** First and last character of the first protocol, of its hex where they are neither letter nor digit. */
function alpnMark(protocol: string | undefined): string {
  if (protocol === undefined || protocol === '') return '00'
  const ends = (text: string): string => text[0]! + text.at(-1)!
  const plain = ends(protocol)
  return /^[0-9A-Za-z]{2}$/.test(plain) ? plain : ends(Buffer.from(protocol, 'latin1').toString('hex'))
}
