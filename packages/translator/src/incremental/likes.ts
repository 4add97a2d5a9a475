import type { Memo } from '../memo.js'
import type { ProxyDescriptor } from '../proxy.js'
import type { ServiceTarget } from '../service-targets.js'
import type { Cells, Root, Signal } from './cells.js'

/** A proxy as builders see it: placed, and with the services that it stands in front of. Immutable: a change makes another. */
export interface Subject {
  readonly proxy: ProxyDescriptor
  readonly targets: readonly ServiceTarget[]
}

/**
 * Hears a question about subjects and gives the answer of the one that is built from. `passing`: about something that comes and goes, so that the question
 * is forgotten when nobody asks it any more.
 */
export type Hear = <T>(question: string, answer: (subject: Subject) => T, passing?: boolean) => T

/** Subjects that answer everything that was asked of them alike. */
export interface Likes<T> {
  /** What is made for the subject and those like it. */
  of(subject: Subject): T
}

export interface LikesOptions<T> {
  readonly cells: Cells
  readonly name: string
  /** Goes up with each new question, of whatever likes. */
  readonly epoch: { current: number }
  /**
   * Builds from one subject for all that are like it, and may look at it only through `hear`: a new question parts those who answer differently. What is
   * equal for those who part stays the very same by way of `memo`.
   */
  make(subject: Subject, hear: Hear, memo: Memo): () => T
  /** Whether two results are one; default: structurally equal. */
  readonly same?: (a: T, b: T) => boolean
}

interface Class<T> {
  readonly subject: Subject
  readonly memo: Memo
  readonly root: Root<T>
  gone: boolean
}

interface Question {
  readonly signal: Signal
  answer(subject: Subject): unknown
}

const FEW_QUESTIONS = 64

export function createLikes<T>({ cells, name, epoch, make, same }: LikesOptions<T>): Likes<T> {
  const questions = new Map<string, Question>()
  const asked = cells.signal()
  let classes = new Map<string, Class<T>>()
  let mostQuestions = FEW_QUESTIONS
  /** The epoch of the keys of `classes`. */
  let keyed = 0
  const found = new WeakMap<Subject, { readonly epoch: number; readonly one: Class<T> }>()

  const keyOf = (subject: Subject): string => {
    let key = ''
    for (const { answer } of questions.values()) key += `${JSON.stringify(answer(subject))}\u0000`
    return key
  }
  /** Answers change with what subjects see: a class whose subject sees something else now is no longer the one of those that it was made for. */
  const keyAnew = (): void => {
    while (keyed !== epoch.current) {
      keyed = epoch.current
      const again = new Map<string, Class<T>>()
      for (const one of classes.values()) {
        const key = keyOf(one.subject)
        if (!again.has(key)) again.set(key, one)
      }
      classes = again
    }
  }
  const forgetUnasked = (): void => {
    if (questions.size <= mostQuestions) return
    for (const [question, { signal }] of questions) if (!signal.isRead) questions.delete(question)
    mostQuestions = FEW_QUESTIONS + 2 * questions.size
  }
  const hearOf =
    (subject: Subject): Hear =>
    (question, answer, passing = false) => {
      let known = questions.get(question)
      if (known === undefined) {
        forgetUnasked()
        questions.set(question, (known = { signal: cells.signal(!passing), answer }))
        epoch.current++
        asked.raise()
      }
      if (passing) known.signal.read()
      return answer(subject)
    }
  const create = (key: string, subject: Subject, last: Class<T> | undefined): Class<T> => {
    const memo = cells.scope(last?.memo)
    const root = cells.root({
      name,
      make: make(subject, hearOf(subject), memo),
      ...(same === undefined ? {} : { same }),
      forget() {
        made.gone = true
        for (const [k, one] of classes) if (one === made) classes.delete(k)
      },
    })
    const made: Class<T> = { subject, memo, root, gone: false }
    classes.set(key, made)
    return made
  }
  const classOf = (subject: Subject): Class<T> => {
    const last = found.get(subject)
    if (last !== undefined && last.epoch === epoch.current && !last.one.gone) return last.one
    for (;;) {
      keyAnew()
      const key = keyOf(subject)
      if (keyed !== epoch.current) continue
      const one = classes.get(key) ?? create(key, subject, last?.one)
      found.set(subject, { epoch: keyed, one })
      return one
    }
  }
  return {
    of(subject) {
      asked.read()
      for (;;) {
        const before = epoch.current
        const { root } = classOf(subject)
        const value = root.get()
        if (epoch.current === before) return value
      }
    },
  }
}
