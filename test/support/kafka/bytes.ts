/** The same bytes cut into chunks of `chunkBytes`, or at each of the given positions. */
export function cut(bytes: Uint8Array, at: number | readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  let start = 0
  const push = (end: number) => {
    chunks.push(bytes.subarray(start, end))
    start = end
  }
  if (typeof at === 'number') {
    while (start + at < bytes.byteLength) push(start + at)
  } else {
    for (const position of at) push(position)
  }
  push(bytes.byteLength)
  return chunks
}

export function join(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks))
}

/** A record batch header in front of `payload`: enough for everything that does not look at records. */
export function fakeBatch(options: {
  readonly recordCount?: number
  readonly payload?: Uint8Array
  readonly producerId?: number
  readonly maxTimestampMs?: number
}): Uint8Array {
  const { recordCount = 1, payload = new Uint8Array(8), producerId = -1, maxTimestampMs = 1000 } = options
  const batch = Buffer.alloc(61 + payload.byteLength)
  batch.writeInt32BE(batch.byteLength - 12, 8)
  batch.writeInt8(2, 16)
  batch.writeInt32BE(recordCount - 1, 23)
  batch.writeBigInt64BE(BigInt(maxTimestampMs), 27)
  batch.writeBigInt64BE(BigInt(maxTimestampMs), 35)
  batch.writeBigInt64BE(BigInt(producerId), 43)
  batch.writeInt16BE(-1, 51)
  batch.writeInt32BE(-1, 53)
  batch.writeInt32BE(recordCount, 57)
  batch.set(payload, 61)
  return new Uint8Array(batch)
}
