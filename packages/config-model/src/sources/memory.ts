import { createFileSet, type FileSet, type FileSetOptions } from '../file-set.js'

/** Texts by name as the source of a store: for tests, playgrounds and editors. */
export interface MemorySource extends Pick<FileSet, 'diagnostics' | 'origins'> {
  /** Sets the text of a file; undefined deletes it. */
  set(file: string, text: string | undefined): void
  /** Several files as one batch. */
  apply(files: Readonly<Record<string, string | undefined>>): void
}

export function createMemorySource(options: FileSetOptions): MemorySource {
  const files = createFileSet(options)
  const apply: MemorySource['apply'] = (texts) => {
    files.update(new Map(Object.entries(texts).map(([file, text]) => [file, text === undefined ? undefined : { text }])))
  }
  return { diagnostics: files.diagnostics, origins: files.origins, apply, set: (file, text) => apply({ [file]: text }) }
}
