import { HeadraceError } from '../../engine/errors.js'

/** S3's limit, in UTF-8 bytes; the file store's names are bounded per component as well. */
export const KEY_BYTES_MAX = 1024
const COMPONENT_BYTES_MAX = 255

const CONTROL_OR_LONE_SURROGATE = /[\p{Cc}\p{Surrogate}]/u

/**
 * One rule for all stores, so that a key that works in one works in every one: components separated by single
 * slashes, none empty, none starting with a dot (which keeps `..` and the file store's own names out), no control
 * characters. No key may be a folder of another (`a` and `a/b`): directories cannot hold both, nor can MinIO.
 */
export function checkKey(key: string): void {
  const reason = keyFault(key)
  if (reason !== undefined) {
    throw new HeadraceError('OBJECT_STORE_DENIED', 'never', `object key ${JSON.stringify(key)} is refused: ${reason}`)
  }
}

function keyFault(key: string): string | undefined {
  if (key === '') return 'it is empty'
  if (Buffer.byteLength(key) > KEY_BYTES_MAX) return `it is longer than ${KEY_BYTES_MAX} bytes`
  if (CONTROL_OR_LONE_SURROGATE.test(key)) return 'it holds a control character or half of a surrogate pair'
  for (const component of key.split('/')) {
    if (component === '') return 'it has an empty component (a leading, trailing or doubled slash)'
    if (component.startsWith('.')) return 'a component starts with a dot'
    if (Buffer.byteLength(component) > COMPONENT_BYTES_MAX) return `a component exceeds ${COMPONENT_BYTES_MAX} bytes`
  }
  return undefined
}

/**
 * Orders keys by their UTF-8 bytes, as S3 lists them, without encoding them. JavaScript's own order is that of UTF-16
 * units and differs in one case: a surrogate (a code point above U+FFFF) must come after U+E000..U+FFFF.
 */
export function compareKeys(left: string, right: string): number {
  const shared = Math.min(left.length, right.length)
  for (let index = 0; index < shared; index++) {
    const leftUnit = left.charCodeAt(index)
    const rightUnit = right.charCodeAt(index)
    if (leftUnit !== rightUnit) return rankOfUnit(leftUnit) - rankOfUnit(rightUnit)
  }
  return left.length - right.length
}

function rankOfUnit(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
