/** Safetensors files of any header, right or wrong. */
export function encodeSafetensors(header: string | Uint8Array | object, data: Uint8Array | number = 0): Uint8Array {
  const text = typeof header === 'string' || header instanceof Uint8Array ? header : JSON.stringify(header)
  const json = Buffer.from(text as string)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return new Uint8Array(Buffer.concat([length, json, typeof data === 'number' ? Buffer.alloc(data) : data]))
}
