/** One document of a YAML stream. */
export interface Chunk {
  text: string
  /** Line of the stream where it starts, from 1. */
  line: number
}

/**
 * Cuts a stream at its `---` and `...` lines. No scalar may hold such a line at column 0 (YAML 1.2, 9.1.2), so this is safe, and it
 * lets one bad document fail alone. The lines stay with what follows, so that content after `--- ` is kept.
 */
export function splitDocuments(stream: string): readonly Chunk[] {
  const chunks: Chunk[] = []
  let start = 0
  let startLine = 1
  let line = 1
  const cut = (end: number): void => {
    // A marker and its line's end say nothing.
    const text = end - start <= 4 && isMarker(stream, start) ? '' : stream.slice(start, end)
    if (text !== '' && hasContent(text)) chunks.push({ text, line: startLine })
    start = end
    startLine = line
  }
  for (let at = 0; at < stream.length; ) {
    if (isMarker(stream, at)) cut(at)
    const next = stream.indexOf('\n', at)
    if (next < 0) break
    at = next + 1
    line++
  }
  cut(stream.length)
  return chunks
}

function isMarker(stream: string, at: number): boolean {
  if (!stream.startsWith('---', at) && !stream.startsWith('...', at)) return false
  const after = stream[at + 3]
  return after === undefined || after === '\n' || after === ' ' || after === '\r' || after === '\t'
}

// Anything but comments, directives, markers and blanks.
function hasContent(text: string): boolean {
  return /^(?!\s*(?:#|$)|%|(?:---|\.\.\.)\s*(?:#.*)?$).*\S/m.test(text)
}
