import { createHash } from 'node:crypto'
import { fail, ok, problem, type Result } from '@heddle/runtime'

/** A resource that was in force; its bytes are protobuf in base64. */
export interface SnapshotResource {
  readonly name: string
  readonly version: string
  readonly value: string
}

/** What a management server has told a proxy: resources by type URL, in the order in which they are put into force. No secrets. */
export interface ConfigSnapshot {
  /** node.id: a snapshot is for the proxy that made it. */
  readonly node: string
  readonly types: ReadonlyMap<string, readonly SnapshotResource[]>
}

const MAGIC = 'heddle-config-snapshot'
const FORMAT = 1

/** A line with the format and the SHA-256 of the rest, then JSON. */
export function encodeSnapshot({ node, types }: ConfigSnapshot): string {
  const body = JSON.stringify({ node, types: Object.fromEntries(types) })
  return `${MAGIC} ${FORMAT} ${digest(body)}\n${body}\n`
}

/** Refuses with `snapshot.invalid` what is cut off, changed, of another format or of another proxy. */
export function decodeSnapshot(text: string, node: string): Result<ConfigSnapshot> {
  const refused = (message: string): Result<ConfigSnapshot> => fail(problem('snapshot.invalid', '', message))
  const [first = '', body = ''] = text.split('\n', 2)
  const [magic, format, sum] = first.split(' ')
  if (magic !== MAGIC) return refused('It is no configuration snapshot.')
  if (format !== String(FORMAT)) return refused(`It has format ${format}, and this proxy reads ${FORMAT}.`)
  if (sum !== digest(body)) return refused('Its checksum is wrong: it was cut off or changed.')
  // Whoever made the checksum made the JSON too.
  const { node: owner, types } = JSON.parse(body) as { node: string; types: Record<string, SnapshotResource[]> }
  if (owner !== node) return refused(`It belongs to the node ${JSON.stringify(owner)}.`)
  return ok({ node: owner, types: new Map(Object.entries(types)) })
}

const digest = (body: string): string => createHash('sha256').update(body).digest('hex')
