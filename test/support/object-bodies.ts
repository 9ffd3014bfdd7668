import type { Test } from 'tap'
import type { HeadraceErrorCode } from '../../engine/errors.js'
import type { ObjectInfo, ObjectStore } from '../../engine/ports/object-store.js'

/** Bodies to put into object stores, and what comes out of them. */

export function pattern(bytes: number, seed = 0): Uint8Array {
  const body = new Uint8Array(bytes)
  for (let position = 0; position < bytes; position++) body[position] = (position * 31 + (position >>> 8) + seed) & 0xff
  return body
}

export async function* chunks(...bodies: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* bodies
}

/** One chunk buffer, overwritten for each chunk, as the port allows. */
export async function* reusingChunks(body: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(chunkBytes)
  for (let position = 0; position < body.byteLength; position += chunkBytes) {
    const piece = body.subarray(position, position + chunkBytes)
    chunk.fill(0xee)
    chunk.set(piece)
    yield chunk.subarray(0, piece.byteLength)
  }
}

export async function* failingChunks(bytes: number, failure: Error): AsyncGenerator<Uint8Array> {
  yield* reusingChunks(pattern(bytes), 1_000_000)
  throw failure
}

export async function* stallingChunks(bytes: number, onStall: () => void): AsyncGenerator<Uint8Array> {
  yield* reusingChunks(pattern(bytes), 1_000_000)
  onStall()
  await new Promise(() => {})
}

export async function keysOf(infos: AsyncIterable<ObjectInfo>): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of infos) keys.push(key)
  return keys
}

export async function sameAs(t: Test, store: ObjectStore, key: string, body: Uint8Array): Promise<void> {
  const { objectBytes, tail } = await store.getTail(key, body.byteLength + 1)
  t.equal(objectBytes, body.byteLength)
  // Compared natively: tap's own comparison walks millions of elements.
  t.ok(equalBytes(tail, body), `${key} has the content that was put`)
}

export function equalBytes(left: Uint8Array | undefined, right: Uint8Array): boolean {
  return left !== undefined && Buffer.compare(left, right) === 0
}

export async function rejects(t: Test, promise: Promise<unknown>, code: HeadraceErrorCode): Promise<void> {
  const outcome = await promise.then(
    () => 'success',
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  )
  t.equal(outcome, code)
}
