import type { Database } from './database.js'
import { int, intOf } from './sql-text.js'

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
  const sql = dialect.deleteSome(
    'producers',
    ['partition_no', 'producer_id'],
    `updated_at_ms < ${dialect.nowMs} - ${int(olderThanMs)}`,
    'updated_at_ms',
    int(limit),
  )
  return database.change((session) => session.run(sql))
}
