import { childrenOf, contentOf, type DerElement, DerError, oidOf, readDer, TAG, wholeOf } from './der.js'

/** GeneralName (RFC 5280 §4.2.1.6). Kinds that nothing here can compare are `other`. */
export type GeneralName =
  | { readonly kind: 'email' | 'dns' | 'uri'; readonly value: string }
  | { readonly kind: 'ip'; readonly value: Uint8Array }
  | { readonly kind: 'directory'; readonly value: readonly string[] }
  | { readonly kind: 'other'; readonly tag: number }

/** The names in a GeneralNames. Throws {@link DerError} for what is none. */
export function readGeneralNames(der: Uint8Array): readonly GeneralName[] {
  const list = readDer(der, 0)
  if (list.tag !== TAG.sequence || list.end !== der.length) throw new DerError('a list of names is malformed')
  const names = childrenOf(der, list).map((element) => readGeneralName(der, element))
  if (names.length === 0) throw new DerError('a list of names is empty')
  return names
}

const TEXTS: Readonly<Record<number, 'email' | 'dns' | 'uri'>> = { 129: 'email', 130: 'dns', 134: 'uri' }

export function readGeneralName(der: Uint8Array, element: DerElement): GeneralName {
  const bytes = contentOf(der, element)
  const kind = TEXTS[element.tag]
  if (kind !== undefined) {
    if (bytes.some((byte) => byte < 0x20 || byte > 0x7e)) throw new DerError('a name is not of printable ASCII')
    return { kind, value: Buffer.from(bytes).toString('latin1') }
  }
  if (element.tag === 0x87) return { kind: 'ip', value: bytes }
  if (element.tag === 0xa4)
    return { kind: 'directory', value: readDirectoryName(wholeOf(der, readDer(der, element.start, element.end))) }
  return { kind: 'other', tag: element.tag }
}

/** The RDNs of a Name, each as text in which case and the type of string do not matter. */
export function readDirectoryName(der: Uint8Array): readonly string[] {
  return childrenOf(der, readDer(der, 0)).map((rdn) =>
    childrenOf(der, rdn)
      .map((attribute) => {
        const [type, value] = childrenOf(der, attribute)
        const text = Buffer.from(contentOf(der, value!)).toString('utf8')
        return `${oidOf(der, type!)}=${text.trim().toLowerCase()}`
      })
      .sort()
      .join('+'),
  )
}

/** Values of an attribute, as they were written: `2.5.4.3` is the common name. */
export function attributeValues(der: Uint8Array, wanted: string): readonly string[] {
  return childrenOf(der, readDer(der, 0)).flatMap((rdn) =>
    childrenOf(der, rdn).flatMap((attribute) => {
      const [type, value] = childrenOf(der, attribute)
      return oidOf(der, type!) === wanted ? [Buffer.from(contentOf(der, value!)).toString('utf8')] : []
    }),
  )
}
