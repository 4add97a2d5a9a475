import type { Cell } from './checks/check.js'
import { formatMarkdown } from './table.js'

/** docs/packages.md: what every package was put through, with the last table. */
export function packagesDocument(cells: readonly Cell[], when: string): string {
  return `# The packages as users get them
\`pnpm pack-test\` builds, runs \`pnpm pack\`, and installs the tarballs together with plain \`npm i\` in an empty folder. Only then it looks:

| check | passes when |
|---|---|
| contents | package.json is whole, no \`workspace:\` or \`catalog:\` range and no private condition ships, generated code does, every target and link exists, no tests |
| readme | the README's first example runs as written and prints what its comments promise |
| import, require | every entry point loads as a module, and through the \`require()\` calls that tsc makes for CommonJS |
| types, types cjs | the example and every entry point pass \`tsc\` with NodeNext, strict, \`skipLibCheck\` off; in \`.mts\` and in \`.cts\` |
| exports | the public names are those of [packages/packaging/exports](../packages/packaging/exports); the number is shown |
| publint, attw | \`publint --strict\`, \`attw --profile esm-only\` |
| command | \`npx heddle version\`, and \`heddle validate\` finds a mistake with its line |
| import ms, RSS MB | measured: the root entry in a fresh process, the best of three; the memory of that process, of which an empty Node has 40 |

\`--node 22,24,26\` runs the packages on these too, \`-o json\` gives the cells, \`--update\` takes the public names as they are now and writes
this page. It ends with \`N passed, N failed\`; measures are not counted. The packages are ES modules; \`require()\` of them works where Node
can (20.19, 22.12 and later). ${when}

${formatMarkdown(cells)}`
}
