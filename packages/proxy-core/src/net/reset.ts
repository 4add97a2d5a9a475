/** The peer has cut a connection off, or one that is joined to it: what was read is not all. */
export function isReset(error: Error | undefined): boolean {
  return error !== undefined && 'code' in error && error.code === 'ECONNRESET'
}
