/** field-content of RFC 9110 §5.5, a look-up for each octet: visible characters, space, tab, obs-text. Never NUL, CR, LF or another control. */
export const FIELD_VALUE: Uint8Array = Uint8Array.from({ length: 256 }, (_, code) =>
  code === 9 || (code >= 32 && code !== 127) ? 1 : 0,
)
