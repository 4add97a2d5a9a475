import { readFileSync, writeFileSync } from 'node:fs'
import { withLedger } from './ledger.js'
import { withLists } from './lists.js'

const page = new URL('../../../../docs/istio-coverage.md', import.meta.url)
writeFileSync(page, withLists(withLedger(readFileSync(page, 'utf8'))))
