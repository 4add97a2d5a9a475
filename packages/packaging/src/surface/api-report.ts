import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { asPublished, type PublicPackage } from '../packages.js'

/** What we call of api-extractor. It brings a TypeScript of its own: the compiler here has no API for programs. */
interface ApiExtractor {
  readonly Extractor: { invoke(config: unknown, options: object): { readonly errorCount: number } }
  readonly ExtractorConfig: {
    prepare(options: { configObject: object; configObjectFullPath?: string; packageJsonFullPath: string }): unknown
  }
}

/** One entry point of a package: `@heddle/ca/grpc`, whose report is `ca.grpc.api.md`. */
export interface ApiEntry {
  readonly report: string
  readonly folder: string
  /** Its declarations, relative to the folder. */
  readonly types: string
  readonly root: boolean
}

/** The entry points that are written by hand; generated modules are told by their names, see exports.ts. */
export function apiEntries({ short, folder, manifest }: PublicPackage): readonly ApiEntry[] {
  const exports = (asPublished(manifest).exports ?? {}) as Readonly<Record<string, { types: string } | null>>
  return Object.entries(exports).flatMap(([path, target]) =>
    target === null || path.includes('*')
      ? []
      : [{ report: `${[short, ...path.split('/').slice(1)].join('.')}.api.md`, folder, types: target.types, root: path === '.' }],
  )
}

/**
 * The signatures of an entry point as text. Of a root entry also the types that its signatures name and it does not export; sub-paths
 * name types of their root entry. Throws when the declarations are not built or do not compile.
 */
export type ApiReporter = (entry: ApiEntry) => string

/** With the api-extractor in this `node_modules`; it writes below `work`. */
export function createApiReporter(modules: string, work: string): ApiReporter {
  const extractor = createRequire(join(modules, 'x.js'))('@microsoft/api-extractor') as ApiExtractor
  return (entry) => apiReport(extractor, entry, work)
}

const COMPILER = {
  module: 'NodeNext',
  target: 'ES2022',
  lib: ['ES2023', 'ESNext.Disposable'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  types: ['node'],
}

function apiReport({ Extractor, ExtractorConfig }: ApiExtractor, entry: ApiEntry, work: string): string {
  const types = join(entry.folder, entry.types)
  if (!existsSync(types)) throw new Error(`${types} is not built`)
  mkdirSync(work, { recursive: true })
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(entry.folder, 'package.json'),
    configObject: {
      projectFolder: entry.folder,
      mainEntryPointFilePath: types,
      newlineKind: 'lf',
      compiler: { overrideTsconfig: { compilerOptions: COMPILER, files: [types] } },
      apiReport: {
        enabled: true,
        reportFileName: entry.report,
        reportFolder: work,
        reportTempFolder: join(work, 'temp'),
        includeForgottenExports: entry.root,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        extractorMessageReporting: { default: { logLevel: 'none' } },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  })
  const errors: string[] = []
  const messageCallback = (message: { logLevel: string; text: string; handled: boolean }): void => {
    if (message.logLevel === 'error') errors.push(message.text)
    message.handled = true
  }
  Extractor.invoke(config, { localBuild: true, messageCallback })
  if (errors.length > 0) throw new Error(`${entry.report}: ${errors.join(' | ')}`)
  return readFileSync(join(work, entry.report), 'utf8')
}

const ANY_TYPE = /(?:[:<|&,=]|=>|\breadonly\b)\s*any\b(?!\s*[(<:?])/

/** Lines of a report that have the type `any`: it checks nothing for whoever calls. */
export function saysAny(report: string): readonly string[] {
  return report
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !/^(\/\/|\*|\/\*)/.test(line) && ANY_TYPE.test(line.replace(/'[^']*'|"[^"]*"/g, "''")))
}
