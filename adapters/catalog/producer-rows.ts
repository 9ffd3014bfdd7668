import type { Session } from './database.js'
import type { Dialect } from './dialect.js'
import { partitionNumberMax, partitionNumberMin } from './partition-numbers.js'
import { pageNumberOf } from './partition-page.js'
import { ProducerPage } from './producer-page.js'
import { anyOf, type BulkInsert, type BulkValue, bytesOf, type Hex, type Row } from './sql-text.js'

/**
 * Rows of `producer_pages`: a producer in a page of partitions. Whoever changes one holds the lock of the page in
 * `partition_pages`, so the rows themselves are read without one.
 */
const MINUTE_MS = 60_000

/** By page number and producer id. */
export class ProducerPages {
  readonly #pages = new Map<number, Map<number, ProducerPage>>()

  get(pageNo: number, producerId: number): ProducerPage | undefined {
    return this.#pages.get(pageNo)?.get(producerId)
  }

  set(pageNo: number, producerId: number, page: ProducerPage): void {
    const producers = this.#pages.get(pageNo)
    if (producers) producers.set(producerId, page)
    else this.#pages.set(pageNo, new Map([[producerId, page]]))
  }

  *entries(): Generator<readonly [pageNo: number, producerId: number, page: ProducerPage]> {
    for (const [pageNo, producers] of this.#pages) {
      for (const [producerId, page] of producers) yield [pageNo, producerId, page]
    }
  }
}

/** Those of the literals, made by `producerKeyLiteral`, that are there. */
export async function readProducerPages(
  dialect: Dialect,
  session: Session,
  literals: readonly string[],
): Promise<ProducerPages> {
  if (literals.length === 0) return new ProducerPages()
  return producerPagesOf(await session.rows(producerPagesQuery(dialect, literals)))
}

export function producerPagesQuery(dialect: Dialect, literals: readonly string[]): string {
  return `SELECT page_key, states FROM producer_pages${dialect.onPrimaryKey} WHERE ${anyOf('page_key', literals)}`
}

/** What `producerPagesQuery` answered. */
export function producerPagesOf(rows: readonly Row[]): ProducerPages {
  const pages = new ProducerPages()
  for (const row of rows) {
    const { pageNo, producerId } = producerOfKey(bytesOf(row, 'page_key'))
    pages.set(pageNo, producerId, ProducerPage.decode(bytesOf(row, 'states')))
  }
  return pages
}

export function replaceProducerPages(dialect: Dialect, session: Session, pages: ProducerPages): Promise<void> {
  return session.insertRows(producerPagesReplacement(dialect, pages))
}

export function producerPagesReplacement(dialect: Dialect, pages: ProducerPages): BulkInsert {
  const rows: BulkValue[][] = []
  for (const [pageNo, producerId, page] of pages.entries()) {
    rows.push([producerKeyHex(pageNo, producerId), page.encode(), minuteOf(page.oldestUsedAtMs)])
  }
  return {
    table: 'producer_pages',
    columns: ['page_key', 'states', 'oldest_minute'],
    rows,
    suffix: dialect.onConflictReplace(['page_key'], ['states', 'oldest_minute']),
  }
}

/** `producer_pages.page_key`. */
export function producerKeyHex(pageNo: number, producerId: number): Hex {
  return (hex64(pageNo) + hex64(producerId)) as Hex
}

export function producerKeyLiteral(pageNo: number, producerId: number): string {
  return `x'${producerKeyHex(pageNo, producerId)}'`
}

/** What `producerKeyHex` was made of. */
export function producerOfKey(key: Uint8Array): { readonly pageNo: number; readonly producerId: number } {
  const [pageNo, producerId] = numbersOfKey(key)
  return { pageNo, producerId }
}

/** Two numbers of 8 bytes each. */
export function numbersOfKey(key: Uint8Array): [number, number] {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
  return [u64(view, 0), u64(view, 8)]
}

/** Condition: all producers of the topic. */
export function producersOfTopic(topicNo: number): string {
  const first = producerKeyLiteral(pageNumberOf(partitionNumberMin(topicNo)), 0)
  const last = producerKeyLiteral(pageNumberOf(partitionNumberMax(topicNo)), Number.MAX_SAFE_INTEGER)
  return `page_key BETWEEN ${first} AND ${last}`
}

/** For `producer_pages.oldest_minute`. */
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
