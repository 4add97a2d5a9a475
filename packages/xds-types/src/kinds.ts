/** Bits of a row's flags; scripts/emit.ts writes the same. */
export const FLAG = { repeated: 1, optional: 2, map: 4, packed: 8, oneof: 16, sensitive: 32, deprecated: 64 } as const

/** Numbers of FieldDescriptorProto.Type. */
export const KIND = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  message: 11,
  bytes: 12,
  uint32: 13,
  enum: 14,
  sfixed32: 15,
  sfixed64: 16,
  sint32: 17,
  sint64: 18,
} as const
