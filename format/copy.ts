const fill = Buffer.prototype.fill as (this: Uint8Array, value: Uint8Array, start: number, end: number) => Uint8Array

/**
 * Copies all of `source` to `position` of `target`; they must not overlap.
 *
 * `target.set(source)` says the same, but where either side is shared memory and their alignments differ, V8 copies byte
 * by byte: 1.8 GiB/s measured on Node 20, which is an eighth of the time LZ4 takes. Node's `fill` with as many bytes as there
 * is room is a plain memcpy: 16 GiB/s, shared or not. Batches in an arena are hardly ever aligned.
 * @throws RangeError when it does not fit
 */
export function copyBytes(source: Uint8Array, target: Uint8Array, position: number): void {
  const end = position + source.byteLength
  if (position < 0 || end > target.byteLength) {
    throw new RangeError(`${source.byteLength} bytes do not fit at ${position} of ${target.byteLength}`)
  }
  // Filling with nothing is an error of its own.
  if (source.byteLength > 0) fill.call(target, source, position, end)
}
