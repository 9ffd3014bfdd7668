/** Kafka's "no id". */
export const ZERO_UUID = '00000000-0000-0000-0000-000000000000'

export const UUID_BYTES = 16

/** Canonical lower-case text of 16 bytes. */
export function uuidFromBytes(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, UUID_BYTES).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export function uuidToBytes(uuid: string): Uint8Array {
  const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex')
  if (bytes.byteLength !== UUID_BYTES) throw new RangeError(`"${uuid}" is not a UUID`)
  return bytes
}
