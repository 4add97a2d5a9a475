import type { Packed } from '../pack.js'
import type { Manifest } from '../packages.js'

const REQUIRED = ['name', 'version', 'description', 'license', 'keywords', 'engines', 'files'] as const

/** The files an `exports` or `bin` field points at. Patterns lead to many, see `missingTargets`. */
function targetsOf(field: unknown): readonly string[] {
  if (typeof field === 'string') return [field]
  return typeof field === 'object' && field !== null ? Object.values(field).flatMap(targetsOf) : []
}

function missingTargets(manifest: Manifest, files: readonly string[]): readonly string[] {
  return [...targetsOf(manifest.exports), ...targetsOf(manifest.bin)].filter((target) => {
    const [before = '', after] = target.replace(/^\.\//, '').split('*')
    return !files.some((file) => (after === undefined ? file === before : file.startsWith(before) && file.endsWith(after)))
  })
}

/** Modules behind a pattern whose declarations ship and whose code does not, or the other way round. */
function halfModules(manifest: Manifest, files: readonly string[]): readonly string[] {
  return Object.values(manifest.exports ?? {}).flatMap((field) => {
    const found = targetsOf(field)
      .filter((target) => target.includes('*'))
      .map((target) => behind(target, files))
    const all = new Set(found.flat())
    return [...all].filter((name) => found.some((names) => !names.includes(name)))
  })
}

/** What the star of a target stands for in these files. */
function behind(target: string, files: readonly string[]): readonly string[] {
  const [before = '', after = ''] = target.replace(/^\.\//, '').split('*')
  return files
    .filter((file) => file.startsWith(before) && file.endsWith(after))
    .map((file) => file.slice(before.length, file.length - after.length))
}

/** Relative links of a README that lead to nothing inside the tarball. */
function deadLinks(readme: string, files: readonly string[]): readonly string[] {
  const links = [...readme.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, link = '']) => link.replace(/^\.\//, ''))
  return links.filter((link) => !files.includes(link))
}

/** What is wrong with a tarball, looking only at its package.json, its list of files and its README. */
export function contentFaults({ manifest, files, readme }: Pick<Packed, 'manifest' | 'files' | 'readme'>): readonly string[] {
  const text = JSON.stringify(manifest)
  const ranges = Object.entries((manifest['dependencies'] ?? {}) as Record<string, string>)
  return [
    ...REQUIRED.filter((field) => manifest[field] === undefined).map((field) => `package.json has no "${field}"`),
    ...(text.includes('@heddle/source') ? ['the private condition @heddle/source ships'] : []),
    ...ranges
      .filter(([, range]) => /^(workspace|catalog|link|file):/.test(range))
      .map(([name, range]) => `${name} is asked for as ${range}`),
    ...missingTargets(manifest, files).map((target) => `${target} is named in package.json and missing`),
    ...halfModules(manifest, files).map((name) => `${name} ships as code or as declarations, not as both`),
    ...deadLinks(readme, files).map((link) => `the README links to ${link}, which does not ship`),
    ...['README.md', 'LICENSE', 'NOTICE'].filter((file) => !files.includes(file)).map((file) => `${file} is missing`),
    ...files
      .filter((file) => /\.test(-suite)?\.|\.tsbuildinfo$|^test\/|^node_modules\//.test(file))
      .map((file) => `${file} ships`),
    ...files
      .filter(
        (file) =>
          file.startsWith('dist/') && file.endsWith('.d.ts') && !files.includes(file.replace(/^dist\/(.*)\.d\.ts$/, 'src/$1.ts')),
      )
      .map((file) => `${file} has no source in src/: its declaration map leads nowhere`),
  ]
}
