import { readDer, readOid } from './der/reader.js'
import type { SubjectAltName } from './extensions.js'

const SUBJECT_ALT_NAME = '2.5.29.17'

/**
 * The alternative names of a certificate by type, from its DER: never from text, in which one name can pretend to be another
 * (CVE-2021-44531 to -44533). Names of other types and with bytes outside printable ASCII are left out.
 */
export function readNames(der: Uint8Array): readonly SubjectAltName[] {
  const read = readDer(der)
  const fields = read.ok ? (read.value.children[0]?.children ?? []) : []
  const extensions = fields.find(({ tag }) => tag === 0xa3)?.children[0]?.children ?? []
  const found = extensions.find((extension) => readOid(extension.children[0]) === SUBJECT_ALT_NAME)
  const names = found === undefined ? undefined : readDer(found.children.at(-1)?.content ?? new Uint8Array(0))
  return names?.ok === true ? names.value.children.flatMap(({ tag, content }) => nameOf(tag, content)) : []
}

function nameOf(tag: number, content: Uint8Array): SubjectAltName[] {
  if (tag === 0x87) {
    if (content.length === 4) return [{ ip: content.join('.') }]
    const groups = Array.from(
      { length: content.length / 2 },
      (_, i) => ((content[2 * i] as number) << 8) | (content[2 * i + 1] as number),
    )
    return content.length === 16 ? [{ ip: groups.map((group) => group.toString(16)).join(':') }] : []
  }
  if (!content.every((byte) => byte > 0x20 && byte < 0x7f)) return []
  const text = String.fromCharCode(...content)
  return tag === 0x86 ? [{ uri: text }] : tag === 0x82 ? [{ dns: text }] : []
}
