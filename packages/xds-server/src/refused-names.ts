// What a name may hold besides letters and digits; a name between two of these is a part of another one.
const PART = /[\w|.\-/:[\]*?=&%+]/

// `Error adding/updating listener(s) a: why, b: why`, one after the other by comma or by line.
const LIST = /^Error adding\/updating \w+\(s\) /

// gRPC in JavaScript counts: `[resource index 8: why]`.
const INDEX = /\[resource index (\d+):/g

/**
 * Which of the resources in a response a client means by the text of its NACK. A NACK has no field for names: Envoy and gRPC write them into the
 * text, `Error adding/updating cluster(s) shop: …`. A text that names none means all.
 */
export function refusedNames(message: string, sent: readonly string[]): readonly string[] {
  const list = `, ${message.replace(LIST, '')}`
  const indexes = new Set([...message.matchAll(INDEX)].map(([, index]) => sent[Number(index)]))
  const ways: readonly ((name: string) => boolean)[] = [
    (name) => LIST.test(message) && (list.includes(`, ${name}: `) || list.includes(`\n${name}: `)),
    (name) => indexes.has(name),
    // The text of the resource itself, which speaks of many things, but of its own name at the beginning of a line.
    (name) => message.includes(`\nname: "${name}"\n`) || message.includes(`\ncluster_name: "${name}"\n`),
    (name) => mentions(message, name),
  ]
  for (const says of ways) {
    const named = sent.filter(says)
    if (named.length > 0) return named
  }
  return sent
}

function mentions(message: string, name: string): boolean {
  for (let at = message.indexOf(name); at >= 0; at = message.indexOf(name, at + 1)) {
    const before = message[at - 1] ?? ' '
    const [after = ' ', next = ' '] = [message[at + name.length], message[at + name.length + 1]]
    // `shop: why`, `shop.`: punctuation at the end of a word belongs to the sentence.
    const ends = !PART.test(after) || (/[.:?]/.test(after) && !PART.test(next))
    if (!PART.test(before) && ends) return true
  }
  return false
}
