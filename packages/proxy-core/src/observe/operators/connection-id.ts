import type { Connection } from '../../net/connection.js'

const ids = new WeakMap<Connection, number>()
let last = 0

/** Of one connection among all of this process; given when somebody first asks. */
export function connectionId(connection: Connection): number {
  let id = ids.get(connection)
  if (id === undefined) {
    id = ++last
    ids.set(connection, id)
  }
  return id
}
