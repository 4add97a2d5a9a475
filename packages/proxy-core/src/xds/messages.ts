import type { Result } from '@heddle/runtime'

/** Decodes one resource of a type. */
export type DecodeResource = (typeUrl: string, value: Uint8Array) => Result<object>

/** What the SotW variant must know of types. */
export interface SotwTypes {
  readonly decode: DecodeResource
  nameOf(typeUrl: string, message: object): string
  /** A response holds everything that is subscribed: LDS, CDS. */
  isFullState(typeUrl: string): boolean
}
