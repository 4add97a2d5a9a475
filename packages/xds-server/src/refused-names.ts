// What a name may hold besides letters and digits; a name between two of these is a part of another one.
const PART = /[\w|.\-/:[\]*?=&%+]/

/**
 * Which of the resources in a response a client means by the text of its NACK. A NACK has no field for names: Envoy and gRPC write them into the
 * text, `Error adding/updating cluster(s) shop: …`. A text that names none means all.
 */
export function refusedNames(message: string, sent: readonly string[]): readonly string[] {
  const named = sent.filter((name) => mentions(message, name))
  return named.length > 0 ? named : sent
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
