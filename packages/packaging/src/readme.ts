/** The first example of a README: the first ```ts or ```js block that is not marked `no-run`. */
export interface Example {
  readonly code: string
  readonly language: 'ts' | 'js'
  /** What its comments promise, `// prints TEXT`, in order. */
  readonly prints: readonly string[]
}

export function exampleOf(readme: string): Example | undefined {
  const [, language, code] = /^```(ts|js)\n([\s\S]*?)^```/m.exec(readme) ?? []
  if (language === undefined || code === undefined) return undefined
  const prints = [...code.matchAll(/\/\/ prints (?!nothing\b)(.*)$/gm)].map(([, text = '']) => text.trim())
  return { code, language: language as 'ts' | 'js', prints }
}

const IMPORTS = /^(?:import [^'"]*['"][^'"]+['"];?\n)+/

/**
 * The example as a CommonJS project has it: the same lines, of which a compiler makes require(); what awaits must stand in a function
 * there. `done` is how it ends. JavaScript keeps the compiler's opinion away.
 */
export function commonJsOf({ code, language }: Example): string {
  const [imports = ''] = IMPORTS.exec(code) ?? []
  const body = code.slice(imports.length)
  const head = language === 'js' ? '// @ts-nocheck\n' : ''
  return `${head}${imports}export const done: Promise<void> = (async (): Promise<void> => {\n${body}})()\n`
}

/** The first promised line that the output does not have in its place. */
export function missingPrint(prints: readonly string[], stdout: string): string | undefined {
  let rest = stdout
  for (const text of prints) {
    const at = rest.indexOf(text)
    if (at < 0) return text
    rest = rest.slice(at + text.length)
  }
  return undefined
}
