import { readFileSync, writeFileSync } from 'node:fs'
import { withLedger } from './ledger.js'

const page = new URL('../../../../docs/istio-coverage.md', import.meta.url)
writeFileSync(page, withLedger(readFileSync(page, 'utf8')))
