import type { Session } from './database.js'
import type { Dialect, TableDefinition } from './dialect.js'
import { pageNumberOf, slotOf, withPartitions, writePartition } from './partition-page.js'
import { replacePages } from './partition-rows.js'
import { decodeProducer } from './producer-blob.js'
import { ProducerPage } from './producer-page.js'
import { numbersOfKey, ProducerPages, replaceProducerPages } from './producer-rows.js'
import { blob, bytesOf, int, intOf, type Row } from './sql-text.js'

/**
 * Schema versions 9 and 10: the rows of `partitions` and `producers`, one for each partition, become pages
 * (docs/adr/0009-partitions-by-pages.md). Version 9 makes and fills the new tables; version 10 drops the old ones, when no transaction holds
 * them any more.
 *
 * An agent of an earlier version that still runs must not commit to rows that have been copied. So they are locked first, and
 * deleted in the transaction that brings the pages: what waited for the locks then finds no partition, and commits nothing.
 */
const ROWS_PER_STATEMENT = 4096
const PAGES_PER_INSERT = 256

export function pageTables({ types }: Dialect): TableDefinition[] {
  return [
    {
      // The row that a commit locks. partitions: see `partition-page.ts`.
      name: 'partition_pages',
      columns: ['page_no BIGINT NOT NULL', `partitions ${types.pageBlob} NOT NULL`],
      primaryKey: 'page_no',
    },
    {
      // page_key: page_no and producer id, 8 bytes each: a thousand of them in one list are a thousand ranges to every
      // optimizer, pairs of columns are not. states: see `producer-page.ts`. oldest_minute: of the state that was silent for
      // longest, which expiry searches; by the minute, so that a commit mostly leaves the index alone.
      name: 'producer_pages',
      columns: [`page_key ${types.uuid} NOT NULL`, `states ${types.pageBlob} NOT NULL`, 'oldest_minute INT NOT NULL'],
      primaryKey: 'page_key',
      indexes: { producer_pages_oldest: 'oldest_minute' },
    },
  ]
}

export async function fillPages(session: Session, dialect: Dialect): Promise<void> {
  await fillPartitions(session, dialect)
  await fillProducers(session, dialect)
  await session.run('DELETE FROM partitions')
}

export async function dropRowsOfPartitions(session: Session): Promise<void> {
  for (const table of ['partitions', 'producers']) await session.run(`DROP TABLE IF EXISTS ${table}`)
}

async function fillPartitions(session: Session, dialect: Dialect): Promise<void> {
  let pages = new Map<number, Uint8Array>()
  const columns = 'partition_no, log_start_offset, high_watermark, max_timestamp_ms'
  for await (const row of rowsOf(session, 'partitions', columns, 'partition_no', dialect.lockRows, intLiteralOf)) {
    const partitionNo = intOf(row, 'partition_no')
    const pageNo = pageNumberOf(partitionNo)
    if (pages.size >= PAGES_PER_INSERT && !pages.has(pageNo)) {
      await replacePages(dialect, session, pages)
      pages = new Map()
    }
    // They come in order and without a gap.
    const page = withPartitions(pages.get(pageNo), slotOf(partitionNo) + 1)
    writePartition(page, slotOf(partitionNo), {
      logStartOffset: intOf(row, 'log_start_offset'),
      highWatermark: intOf(row, 'high_watermark'),
      maxTimestampMs: intOf(row, 'max_timestamp_ms'),
    })
    pages.set(pageNo, page)
  }
  await replacePages(dialect, session, pages)
}

/** All producers of a page come one after the other, partition by partition. */
async function fillProducers(session: Session, dialect: Dialect): Promise<void> {
  let pages = new ProducerPages()
  let lastPageNo = -1
  const columns = 'producer_key, epoch, batches, updated_at_ms'
  for await (const row of rowsOf(session, 'producers', columns, 'producer_key', '', blobLiteralOf)) {
    const [partitionNo, producerId] = numbersOfKey(bytesOf(row, 'producer_key'))
    const pageNo = pageNumberOf(partitionNo)
    if (pageNo !== lastPageNo) {
      await replaceProducerPages(dialect, session, pages)
      pages = new ProducerPages()
      lastPageNo = pageNo
    }
    const page = pages.get(pageNo, producerId) ?? new ProducerPage()
    const state = decodeProducer(intOf(row, 'epoch'), bytesOf(row, 'batches'))
    page.set(slotOf(partitionNo), state, intOf(row, 'updated_at_ms'))
    pages.set(pageNo, producerId, page)
  }
  await replaceProducerPages(dialect, session, pages)
}

/** All rows of a table in the order of its key, in statements of bounded size. */
async function* rowsOf(
  session: Session,
  table: string,
  columns: string,
  key: string,
  lockRows: string,
  literalOf: (row: Row, column: string) => string,
): AsyncGenerator<Row> {
  let where = ''
  for (;;) {
    const rows = await session.rows(
      `SELECT ${columns} FROM ${table}${where} ORDER BY ${key} LIMIT ${ROWS_PER_STATEMENT}${lockRows}`,
    )
    yield* rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < ROWS_PER_STATEMENT) return
    where = ` WHERE ${key} > ${literalOf(last, key)}`
  }
}

function intLiteralOf(row: Row, column: string): string {
  return int(intOf(row, column))
}

function blobLiteralOf(row: Row, column: string): string {
  return blob(bytesOf(row, column))
}
