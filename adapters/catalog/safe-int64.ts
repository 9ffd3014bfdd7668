/** 64-bit integers in a page of bytes, big-endian, as two halves: safe integers need no BigInt. */
const HALF = 2 ** 32

export function readI64(view: DataView, at: number): number {
  return view.getInt32(at) * HALF + view.getUint32(at + 4)
}

/** @throws RangeError where the value is no safe integer */
export function writeI64(view: DataView, at: number, value: number): void {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no safe integer and cannot enter the catalog`)
  view.setInt32(at, Math.floor(value / HALF))
  view.setUint32(at + 4, value)
}
