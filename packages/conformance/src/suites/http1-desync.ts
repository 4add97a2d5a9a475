import { each, type Suite, type Verdict } from '../suite.js'
import { type Answer, type LiveListener, startLiveListener } from './live-listener.js'

interface Header {
  readonly name: string
  readonly value: string
}

interface Case {
  readonly file: string
  readonly name: string
  readonly method: string
  readonly uri: string
  readonly version: string
  readonly headers: readonly Header[] | null
  readonly expected: { readonly tier: 'Compliant' | 'Acceptable' | 'Ambiguous' | 'Severe' }
}

/** Requests that two servers may frame differently, through a live listener: refused, or passed on with one framing that is beyond doubt. */
export const http1Desync: Suite = {
  name: 'http1-desync',
  file: 'http1-desync.json',
  ids: (data) => (data as Case[]).map(idOf),
  async *run(data) {
    const listener = await startLiveListener({})
    try {
      yield* each(data.json() as Case[], idOf, (item) => judge(listener, item))
    } finally {
      await listener.close()
    }
  },
}

const idOf = ({ file, name }: Case): string => `${file}/${name}`

async function judge(listener: LiveListener, item: Case): Promise<Verdict> {
  const answer = await listener.send(bytesOf(item))
  const { tier } = item.expected
  const refused = answer.closed && (answer.status === 400 || answer.status === 501)
  const got = `got ${answer.status === 0 ? 'no answer' : answer.status}${answer.closed ? ' and a close' : ''}`
  const doubt = answer.status === 200 ? doubtOf(answer) : undefined
  if (doubt !== undefined) return `${tier}: passed on with ${doubt}`
  if (refused) return tier === 'Compliant' && item.uri !== '' ? `Compliant: want it accepted, ${got}` : undefined
  if (tier === 'Severe') return `Severe: want 400 or 501 and a close, ${got}`
  // What is framed without doubt has an answer, whichever.
  return answer.status === 0 || (tier === 'Compliant' && answer.status !== 200) ? `${tier}: ${got}` : undefined
}

/** The request with a body that its framing announces, as far as it does; headers are bytes. */
function bytesOf({ method, uri, version, headers: given }: Case): Uint8Array {
  const headers = given ?? []
  const host = headers.some(({ name }) => name.trim().toLowerCase() === 'host') ? '' : 'Host: app\r\n'
  const line = `${method} ${uri}${version === '' ? '' : ` ${version}`}\r\n`
  const fields = headers.map(({ name, value }) => `${name}: ${value}\r\n`).join('')
  return Buffer.from(`${line}${host}${fields}\r\n${bodyOf(headers)}`, 'latin1')
}

function bodyOf(headers: readonly Header[]): string {
  const values = (name: string): string[] =>
    headers.filter((header) => header.name.trim().toLowerCase() === name).map(({ value }) => value)
  if (values('transfer-encoding').some((value) => /chunked/i.test(value))) return '0\r\n\r\n'
  const length = Number(values('content-length')[0] ?? 0)
  return 'a'.repeat(Number.isInteger(length) && length > 0 ? Math.min(length, 65_536) : 0)
}

/** What leaves the upstream in doubt where the request ends. */
function doubtOf({ upstream }: Answer): string | undefined {
  const [line = '', ...fields] = upstream.slice(0, upstream.indexOf('\r\n\r\n')).split('\r\n')
  const values = (name: string): string[] =>
    fields.flatMap((field) => {
      const at = field.indexOf(':')
      return field.slice(0, at).trim().toLowerCase() === name ? [field.slice(at + 1).trim()] : []
    })
  const [lengths, encodings] = [values('content-length'), values('transfer-encoding')]
  const framing = [
    ...lengths.map((value) => `content-length: ${value}`),
    ...encodings.map((value) => `transfer-encoding: ${value}`),
  ]
  if (framing.length > 1) return framing.join(', ')
  if (lengths.some((value) => !/^\d+$/.test(value)) || encodings.some((value) => value !== 'chunked')) return framing.join()
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+ \S+ HTTP\/1\.1$/.test(line)) return `the request line ${JSON.stringify(line)}`
  const bare = fields.find((field) => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+:/.test(field))
  return bare === undefined ? undefined : `the header ${JSON.stringify(bare)}`
}
