/**
 * UUIDs as bytes and as lower-case canonical text (RFC 9562). In either form they sort alike: byte order is text order,
 * which the segment index relies on.
 */
export const UUID_BYTES = 16

const TEXT_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const TEXT_LENGTH = 36
const DASH = 0x2d
const DASHES: ReadonlySet<number> = new Set([8, 13, 18, 23])
const NO_NIBBLE = -256
const NIBBLES = Int16Array.from({ length: 128 }, (_, code) => {
  const nibble = '0123456789abcdef'.indexOf(String.fromCharCode(code))
  return nibble < 0 ? NO_NIBBLE : nibble
})
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
  if (position < 0 || position + UUID_BYTES > target.byteLength) {
    throw new RangeError(`a UUID does not fit at ${position} of ${target.byteLength} bytes`)
  }
  // No pattern and no pieces of text: every block of a segment has one.
  let isCanonical = text.length === TEXT_LENGTH
  let at = position
  for (let index = 0; index < TEXT_LENGTH && isCanonical; index += 2) {
    if (DASHES.has(index)) {
      isCanonical = text.charCodeAt(index) === DASH
      index += 1
    }
    const byte = nibbleAt(text, index) * 16 + nibbleAt(text, index + 1)
    isCanonical &&= byte >= 0
    target[at] = byte
    at += 1
  }
  if (!isCanonical) throw new RangeError(`not a lower-case canonical UUID: ${JSON.stringify(text)}`)
}

/** Negative, also once multiplied and added to, where there is no lower-case hexadecimal digit. */
function nibbleAt(text: string, index: number): number {
  return NIBBLES[text.charCodeAt(index)] ?? NO_NIBBLE
}

export function isUuid(text: string): boolean {
  return TEXT_FORM.test(text)
}
