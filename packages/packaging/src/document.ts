import type { Cell } from './checks/check.js'
import { markdownTables } from './table.js'

/** docs/packages.md: what every package was put through, with the last tables. `when` tells the date and the versions of Node. */
export function packagesDocument(cells: readonly Cell[], when: string): string {
  const [read = '', run = ''] = markdownTables(cells)
  return `# The packages as users get them
\`pnpm pack-test\` builds, runs \`pnpm pack\`, and installs the tarballs together with plain \`npm i\` in an empty folder. Only then it looks.
It ends with \`N passed, N failed\`; measures are not counted. \`--node 22,24,26\` runs the packages on these too, \`-o json\` gives the cells,
\`--update\` writes this page. ${when}

## What is in them

${read}
| column | ok when |
|---|---|
| contents | package.json is whole, no \`workspace:\` or \`catalog:\` range and no private condition ships, generated code does, every target and link exists, LICENSE and NOTICE are there, tests are not |
| exports | the public names are those of the repository; the number is shown |
| publint, attw | \`publint --strict\`, \`attw --profile esm-only\` |
| types, types cjs | the README's example and every entry point pass \`tsc\` with NodeNext, strict, \`skipLibCheck\` off: as a module (\`.mts\`), and with CommonJS output (\`.cts\`) |

## Where they run

${run}
| column | ok when |
|---|---|
| readme | the README's first example runs as written, as a module, and prints what its comments promise |
| readme cjs | so does what \`tsc\` makes of it for CommonJS: the same lines with \`require()\`, in a function where they await |
| jest | so it does in a test of Jest in its CommonJS mode, which loads every entry point with \`require()\` too |
| import, require | every entry point loads in a program of its own |
| command | \`npx heddle version\`, and \`heddle validate\` finds a mistake with its line |
| import ms, RSS MB | measured: the root entry in a fresh process, the best of three; the memory of that process, of which an empty Node has 40 |

The packages are ES modules. \`require()\` of them works where Node can (20.19, 22.12 and later). Jest in CommonJS mode can from Node 24.9 on
with \`node --experimental-vm-modules\`; before, it needs a transform that makes CommonJS of them, here \`babel-jest\` with
\`@babel/plugin-transform-modules-commonjs\` and \`"transformIgnorePatterns": []\`.

## Their surface
\`pnpm packaging\`, a part of \`pnpm check\`, needs no tarballs. It compares the public names with
[packages/packaging/exports](../packages/packaging/exports) and the signatures, as api-extractor reports them, with
[packages/packaging/api](../packages/packaging/api), refuses a public \`any\`, and runs knip: no unused file or dependency, none unlisted.
Unused exports knip only names (\`npx knip\`). A change that is wanted: \`pnpm packaging --update\`, and a changeset. Generated modules are told by their names only.
`
}
