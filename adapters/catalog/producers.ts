import type { Database, Session } from './database.js'
import { lockPages } from './partition-rows.js'
import {
  minuteOf,
  ProducerPages,
  producerKeyLiteral,
  producerOfKey,
  readProducerPages,
  replaceProducerPages,
} from './producer-rows.js'
import { bytesOf, inChunks, int, intOf, within } from './sql-text.js'

/** Where producers begin and end: their ids, and the expiry of their states. */
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

/** Rows in a transaction of expiry: commits wait for its locks. */
const ROWS_PER_CHANGE = 500

/** Answers how many states went. What is found silent is looked at again under the locks of its partitions. */
export async function expireProducers(database: Database, olderThanMs: number, limit: number): Promise<number> {
  const { dialect } = database
  const { beforeMs, literals } = await database.read(async (session) => {
    const [row] = await session.rows(`SELECT ${dialect.nowMs} - ${int(olderThanMs)} AS before_ms`)
    const beforeMs = intOf(row ?? {}, 'before_ms')
    const rows = await session.rows(
      `SELECT page_key FROM producer_pages WHERE oldest_minute <= ${int(minuteOf(beforeMs))}
       ORDER BY oldest_minute LIMIT ${int(limit)}`,
    )
    return { beforeMs, literals: rows.map((row) => bytesOf(row, 'page_key')) }
  })
  let expired = 0
  for (const chunk of inChunks(literals, ROWS_PER_CHANGE)) {
    if (expired >= limit) break
    expired += await database.change((session) => expireAmong(database, session, chunk, beforeMs, limit - expired))
  }
  return expired
}

async function expireAmong(
  { dialect }: Database,
  session: Session,
  keys: readonly Uint8Array[],
  beforeMs: number,
  limit: number,
): Promise<number> {
  const producers = keys.map(producerOfKey)
  await lockPages(dialect, session, new Set(producers.map(({ pageNo }) => pageNo)))
  const literals = producers.map(({ pageNo, producerId }) => producerKeyLiteral(pageNo, producerId))
  const kept = new ProducerPages()
  const gone: string[] = []
  let expired = 0
  for (const [pageNo, producerId, page] of (await readProducerPages(dialect, session, literals)).entries()) {
    const forgotten = page.forgetUsedBefore(beforeMs, limit - expired)
    expired += forgotten
    if (page.isEmpty) gone.push(producerKeyLiteral(pageNo, producerId))
    else if (forgotten > 0) kept.set(pageNo, producerId, page)
  }
  await replaceProducerPages(dialect, session, kept)
  if (gone.length > 0) {
    await session.run(dialect.deleteByIndex('producer_pages', 'PRIMARY', within('page_key', gone)))
  }
  return expired
}
