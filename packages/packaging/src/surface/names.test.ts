import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportedNames } from './names.js'

function declarations(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-names-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return join(folder, 'index.d.ts')
}

test('values, types, aliases and what stands behind a star', () => {
  const file = declarations({
    'index.d.ts': `
/** export declare const quoted: 1 */
export { type Clock, systemClock, inner as outer } from './clock.js';
export type { Random } from './random.js';
export * from './more.js';
export * as names from './more.js';
export declare function run(): void;
export interface Run { }
declare const hidden: 1;
`,
    'more.d.ts': 'export declare class Deep {}\nexport type Deeper = 1;\nexport interface Deep {}\n',
  })
  expect(exportedNames(file)).toEqual([
    'Deep',
    'names',
    'outer',
    'run',
    'systemClock',
    'type Clock',
    'type Deeper',
    'type Random',
    'type Run',
  ])
})
