const ANNOTATION = 'galley.istio.io/analyze-suppress'

/** `--suppress "IST0103=Pod shop/*"`: a code, and the objects for which it is not told; `*` stands for any text. */
export interface Suppression {
  readonly code: string
  /** As messages name it: `Pod shop/cart-1`. */
  readonly object: string
}

/** `CODE=OBJECT`; undefined: it is not of this form. */
export function parseSuppression(text: string): Suppression | undefined {
  const [, code, object] = /^([^=]+)=([^=]+)$/.exec(text) ?? []
  return code === undefined || object === undefined ? undefined : { code, object }
}

/** Whether an object's own annotation keeps a code quiet: a list of codes, or `*`. */
export function suppressesItself(annotations: Readonly<Record<string, string>>, code: string): boolean {
  const codes = annotations[ANNOTATION]?.split(',').map((one) => one.trim()) ?? []
  return codes.includes('*') || codes.includes(code)
}

/** A test for messages that are to be kept quiet. Names may have the form of old, too: `Pod cart-1.shop`. */
export function createSuppressor(suppressions: readonly Suppression[]): (code: string, names: readonly string[]) => boolean {
  const rules = suppressions.map(({ code, object }) => ({ code, pattern: globPattern(object) }))
  return (code, names) => rules.some((rule) => rule.code === code && names.some((name) => rule.pattern.test(name)))
}

function globPattern(glob: string): RegExp {
  const parts = glob.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 's')
}
