import { readFileSync } from 'node:fs'

/** By kind or message, then by field: the case that proves it (`istiod ID`, `golden ID`, `test FILE`, `set`) or `no: REASON`. */
export type Ledger = Readonly<Record<string, Readonly<Record<string, string>>>>

export const istioFields: Ledger = read('istio-fields.json')
export const envoyFields: Ledger = read('envoy-fields.json')

function read(file: string): Ledger {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as Ledger
}

/** Every line of a ledger. */
export function linesOf(ledger: Ledger): readonly { readonly group: string; readonly field: string; readonly proof: string }[] {
  return Object.entries(ledger).flatMap(([group, fields]) =>
    Object.entries(fields).map(([field, proof]) => ({ group, field, proof })),
  )
}

export const isProved = ({ proof }: { readonly proof: string }): boolean => !proof.startsWith('no: ')

export const BEGIN = '<!-- ledger: made by packages/conformance/src/ledger/write.ts -->'
export const END = '<!-- ledger: end -->'

/** The part of docs/istio-coverage.md between the markers. */
export function renderLedger(): string {
  const all = linesOf(istioFields)
  const share = ((100 * all.filter(isProved).length) / all.length).toFixed(1)
  const envoy = linesOf(envoyFields)
  return [
    BEGIN,
    '## Fields of Istio’s API',
    `One line for every field that the kinds of @heddle/config-model know; what several places share is listed at the first. ${share} % of ${all.length} name`,
    'a case: `istiod` is recorded output of a real istiod (data of `pnpm conformance`), `golden` the same in packages/translator/test/goldens, `test` a test of ours.',
    '',
    ...Object.entries(istioFields).flatMap(([kind, fields]) => [
      `### ${kind}`,
      '| field | proved by |',
      '|---|---|',
      ...Object.entries(fields).map(([field, proof]) => `| \`${field}\` | ${proof} |`),
      '',
    ]),
    '## Fields of Envoy’s API that istiod sets',
    `${envoy.filter(isProved).length} of ${envoy.length} are set by our translation of the same cases, the goldens and what unit tests translate; what is not, and why:`,
    '',
    '| message | set | not set |',
    '|---|---|---|',
    ...Object.entries(envoyFields).map(([message, fields]) => `| ${message} | ${namesOf(fields, true)} | ${reasonsOf(fields)} |`),
    '',
    END,
  ].join('\n')
}

function namesOf(fields: Readonly<Record<string, string>>, proved: boolean): string {
  return Object.entries(fields)
    .filter(([, proof]) => isProved({ proof }) === proved)
    .map(([field]) => field)
    .join(', ')
}

function reasonsOf(fields: Readonly<Record<string, string>>): string {
  const byReason = new Map<string, string[]>()
  for (const [field, proof] of Object.entries(fields)) {
    if (isProved({ proof })) continue
    byReason.set(proof.slice(4), [...(byReason.get(proof.slice(4)) ?? []), field])
  }
  return [...byReason].map(([reason, names]) => `${names.join(', ')} (${reason})`).join('; ')
}

/** A document with the part between the markers made anew; the part is appended where there is none. */
export function withLedger(document: string): string {
  const from = document.indexOf(BEGIN)
  const to = document.indexOf(END)
  if (from < 0 || to < 0) return `${document.trimEnd()}\n\n${renderLedger()}\n`
  return document.slice(0, from) + renderLedger() + document.slice(to + END.length)
}
