/**
 * RFC 7541 Appendix B as the length of each symbol's code, 0 to 255 and the end of the string, in base 36. The code is
 * canonical: lengths say all.
 */
const CODE_LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad677777777777777777777' +
  '77878djde6f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmo' +
  'lmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu'

const EOS = 256
/** RFC 7541 §5.2: padding is shorter than an octet and made of ones. */
const LONGEST_PADDING = 7

// One step takes four bits: `state << 4 | bits` -> the next state, with a symbol when one is complete. No code is shorter than
// five bits, so a step completes one symbol at most.
const SYMBOL_SHIFT = 12
const NO_SYMBOL = 0x1ff << SYMBOL_SHIFT
const INVALID = -1

const { steps, accepting } = build()

/** Undefined: no Huffman code, EOS inside, or wrong padding. */
export function huffmanDecode(bytes: Uint8Array, start: number, end: number): string | undefined {
  if ((end - start) * 8 > scratch.length * 5) scratch = Buffer.allocUnsafeSlow((end - start) * 2)
  const out = scratch
  let length = 0
  let state = 0
  for (let i = start; i < end; i++) {
    const octet = bytes[i]!
    let step = steps[(state << 4) | (octet >> 4)]!
    if (step === INVALID) return undefined
    if (step < NO_SYMBOL) out[length++] = step >> SYMBOL_SHIFT
    step = steps[((step & 0xfff) << 4) | (octet & 15)]!
    if (step === INVALID) return undefined
    if (step < NO_SYMBOL) out[length++] = step >> SYMBOL_SHIFT
    state = step & 0xfff
  }
  return accepting[state] === 1 ? out.toString('latin1', 0, length) : undefined
}

let scratch = Buffer.allocUnsafeSlow(4096)

interface Node {
  readonly state: number
  /** The bits so far are all ones, and so many. */
  readonly ones: number
  readonly next: [Node | number | undefined, Node | number | undefined]
}

function build(): { steps: Int32Array; accepting: Uint8Array } {
  const nodes = tree()
  const steps = new Int32Array(nodes.length << 4)
  const accepting = new Uint8Array(nodes.length)
  for (const node of nodes) {
    accepting[node.state] = node.ones >= 0 && node.ones <= LONGEST_PADDING ? 1 : 0
    for (let bits = 0; bits < 16; bits++) steps[(node.state << 4) | bits] = walk(nodes[0]!, node, bits)
  }
  return { steps, accepting }
}

function walk(root: Node, from: Node, bits: number): number {
  let node = from
  let symbol = NO_SYMBOL
  for (let bit = 3; bit >= 0; bit--) {
    const next = node.next[((bits >> bit) & 1) as 0 | 1]
    if (next === undefined || next === EOS) return INVALID
    if (typeof next === 'number') {
      symbol = next << SYMBOL_SHIFT
      node = root
    } else node = next
  }
  return symbol | node.state
}

function tree(): Node[] {
  const nodes: Node[] = []
  const add = (ones: number): Node => {
    const node: Node = { state: nodes.length, ones, next: [undefined, undefined] }
    nodes.push(node)
    return node
  }
  add(0)
  const symbols = [...CODE_LENGTHS].map((digit, symbol) => ({ symbol, length: Number.parseInt(digit, 36) }))
  symbols.sort((a, b) => a.length - b.length || a.symbol - b.symbol)
  let code = 0
  let previous = symbols[0]!.length
  for (const { symbol, length } of symbols) {
    code *= 2 ** (length - previous)
    previous = length
    let node = nodes[0]!
    for (let bit = length - 1; bit > 0; bit--) {
      const side = (Math.floor(code / 2 ** bit) & 1) as 0 | 1
      let next = node.next[side]
      if (next === undefined) {
        next = add(side === 1 && node.ones >= 0 ? node.ones + 1 : -1)
        node.next[side] = next
      }
      node = next as Node
    }
    node.next[(code & 1) as 0 | 1] = symbol
    code++
  }
  return nodes
}
