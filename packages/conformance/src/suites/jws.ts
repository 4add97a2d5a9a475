import { verifyJws } from '@heddle/proxy-core'
import { each, type Suite, type Verdict } from '../suite.js'

interface Case {
  readonly id: number
  readonly comment: string
  readonly key: Readonly<Record<string, unknown>>
  readonly jws: string
  readonly result: 'valid' | 'invalid'
}

/** Wycheproof's JSON web signatures: the valid ones are taken, the others refused, by the code that jwt_authn runs. */
export const jws: Suite = {
  name: 'jws',
  file: 'jws.json',
  ids: (data) => (data as Case[]).map(idOf),
  run: (data) =>
    each(data.json() as Case[], idOf, ({ key, jws: text, result }): Verdict => {
      const verified = verifyJws(text, JSON.stringify({ keys: [key] }))
      const got = verified.ok ? 'valid' : 'invalid'
      return got === result ? undefined : `want ${result}, got ${verified.diagnostics[0]?.message ?? got}`
    }),
}

const idOf = ({ id, comment }: Case): string => `${id} ${comment}`
