/**
 * UUIDs as bytes and as lower-case canonical text (RFC 9562). In either form they sort alike: byte order is text order,
 * which the segment index relies on.
 */
export const UUID_BYTES = 16

const TEXT_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** The text of the 16 bytes at `position`. @throws RangeError when there are fewer */
export function uuidText(bytes: Uint8Array, position = 0): string {
  if (position < 0 || position + UUID_BYTES > bytes.byteLength) {
    throw new RangeError(`a UUID takes ${UUID_BYTES} bytes; position ${position} of ${bytes.byteLength} leaves too few`)
  }
  let text = ''
  for (let index = 0; index < UUID_BYTES; index += 1) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += '-'
    text += HEX[bytes[position + index]!]!
  }
  return text
}

/** The 16 bytes of a UUID. @throws RangeError unless the text is lower-case canonical */
export function uuidBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(UUID_BYTES)
  writeUuid(text, bytes, 0)
  return bytes
}

/** Writes a UUID's 16 bytes at `position`. @throws RangeError unless the text is lower-case canonical and fits */
export function writeUuid(text: string, target: Uint8Array, position: number): void {
  if (!isUuid(text)) throw new RangeError(`not a lower-case canonical UUID: ${JSON.stringify(text)}`)
  if (position < 0 || position + UUID_BYTES > target.byteLength) {
    throw new RangeError(`a UUID does not fit at ${position} of ${target.byteLength} bytes`)
  }
  let at = position
  for (let index = 0; index < text.length; index += 2) {
    if (text[index] === '-') index += 1
    target[at] = Number.parseInt(text.slice(index, index + 2), 16)
    at += 1
  }
}

export function isUuid(text: string): boolean {
  return TEXT_FORM.test(text)
}
