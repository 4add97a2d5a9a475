import { resolve } from 'node:path'
import { checkArchitecture } from './check.js'

// `pnpm boundaries`, after turbo's own check.
const { files, faults, sizes } = checkArchitecture(resolve(import.meta.dirname, '../../../..'))
process.stdout.write(faults.map((fault) => `${fault}\n`).join(''))
process.stdout.write(`${sizes}\n${files} files: ${faults.length === 0 ? 'floors kept, no cycles' : `${faults.length} faults`}\n`)
process.exitCode = faults.length === 0 ? 0 : 1
