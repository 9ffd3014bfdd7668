import type { Database } from './database.js'
import { partitionNumberMax, partitionNumberMin } from './partition-numbers.js'
import { type Hex, int, intOf } from './sql-text.js'

const MINUTE_MS = 60_000

/** `producers.producer_key`. */
export function producerKeyHex(partitionNo: number, producerId: number): Hex {
  return (hex64(partitionNo) + hex64(producerId)) as Hex
}

export function producerKeyLiteral(partitionNo: number, producerId: number): string {
  return `x'${producerKeyHex(partitionNo, producerId)}'`
}

/** What `producerKeyHex` was made of. */
export function producerOfKey(key: Uint8Array): { readonly partitionNo: number; readonly producerId: number } {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
  return { partitionNo: u64(view, 0), producerId: u64(view, 8) }
}

/** Condition: all producers of the topic. */
export function producersOfTopic(topicNo: number): string {
  const first = producerKeyLiteral(partitionNumberMin(topicNo), 0)
  const last = producerKeyLiteral(partitionNumberMax(topicNo), Number.MAX_SAFE_INTEGER)
  return `producer_key BETWEEN ${first} AND ${last}`
}

/** For `producers.updated_minute`. */
export function minuteOf(timeMs: number): number {
  return Math.floor(timeMs / MINUTE_MS)
}

function u64(view: DataView, at: number): number {
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4)
}

/** Eight bytes, big-endian, so that the bytes order as the numbers do. */
function hex64(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} cannot be part of a key`)
  return value.toString(16).padStart(16, '0')
}

export function allocateProducerIds(database: Database, count: number): Promise<number> {
  if (!(count >= 1)) throw new RangeError(`cannot reserve ${count} producer ids`)
  return database.change(async (session) => {
    await session.run(
      `UPDATE cluster_state SET next_producer_id = next_producer_id + ${int(count)} WHERE singleton = 1`,
    )
    const [row] = await session.rows(
      `SELECT next_producer_id - ${int(count)} AS first_id FROM cluster_state WHERE singleton = 1`,
    )
    return intOf(row ?? {}, 'first_id')
  })
}

export function expireProducers(database: Database, olderThanMs: number, limit: number): Promise<number> {
  const { dialect } = database
  return database.change(async (session) => {
    const [row] = await session.rows(`SELECT ${dialect.nowMs} - ${int(olderThanMs)} AS before_ms`)
    const beforeMs = intOf(row ?? {}, 'before_ms')
    const where = `updated_minute <= ${int(minuteOf(beforeMs))} AND updated_at_ms < ${int(beforeMs)}`
    return session.run(dialect.deleteSome('producers', 'producer_key', where, 'updated_minute', int(limit)))
  })
}
