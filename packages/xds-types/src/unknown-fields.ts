/**
 * Where a decoded message keeps wire fields that this API does not know: their bytes, tags included, one after another.
 * `encode` writes them again after the known ones. A symbol, so it survives a spread and stays out of JSON.
 */
export const UNKNOWN_FIELDS: unique symbol = Symbol.for('heddle.xds.unknown-fields') as never

export function unknownFieldsOf(message: object): Uint8Array | undefined {
  return (message as { [UNKNOWN_FIELDS]?: Uint8Array })[UNKNOWN_FIELDS]
}
