import { readFileSync, writeFileSync } from 'node:fs'
import { withLedger } from './ledger.js'
import { withLists } from './lists.js'

// Writes the generated sections of the coverage pages anew.

const docs = new URL('../../../../docs/', import.meta.url)
const rewrite = (name: string, make: (page: string) => string): void => {
  const page = new URL(name, docs)
  writeFileSync(page, make(readFileSync(page, 'utf8')))
}
rewrite('istio-coverage.md', (page) => withLists(withLedger(page)))
rewrite('envoy-coverage.md', withLists)
