import { Buffer } from 'node:buffer'

/**
 * Values written into SQL text. Bulk statements carry thousands of numbers and ids: as literals they need no binding each,
 * and every literal made here is digits or hex digits, whatever the input. Text from outside is always bound instead.
 */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function int(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no safe integer and cannot enter the catalog`)
  return String(value)
}

export function intOrNull(value: number | null): string {
  return value === null ? 'NULL' : int(value)
}

/** A UUID as its 16 bytes. */
export function uuid(id: string): string {
  return `x'${uuidHex(id)}'`
}

export function uuidHex(id: string): Hex {
  if (!UUID.test(id)) throw new RangeError(`${JSON.stringify(id)} is no UUID in canonical lower-case text`)
  return id.replaceAll('-', '') as Hex
}

export function blob(bytes: Uint8Array): string {
  return `x'${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}'`
}

/** Text as its UTF-8 bytes. */
export function utf8(text: string): string {
  return `x'${utf8Hex(text)}'`
}

export function utf8Hex(text: string): string {
  return Buffer.from(text, 'utf8').toString('hex')
}

// ---- bulk inserts

declare const HEX: unique symbol
/** Bytes as hex digits: where they end as a literal, a Buffer for each would be thousands of objects for nothing. */
export type Hex = string & { readonly [HEX]: true }

/** No text: that is bound one by one. */
export type BulkValue = number | Hex | Uint8Array

/** `INSERT INTO table (columns) VALUES rows suffix`, the values not yet written. */
export interface BulkInsert {
  readonly table: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly BulkValue[])[]
  readonly suffix: string
}

export function bindable(value: BulkValue): number | Uint8Array {
  if (typeof value === 'string') return Buffer.from(value, 'hex')
  if (typeof value === 'number') int(value)
  return value
}

/** Rows as literals: `(a, b, c)` each. One text that grows, without lists of literals between. */
export function tuplesOf(rows: BulkInsert['rows']): string[] {
  return rows.map((row) => {
    let text = ''
    for (const value of row) text += text === '' ? `(${literalOf(value)}` : `,${literalOf(value)}`
    return `${text})`
  })
}

function literalOf(value: BulkValue): string {
  if (typeof value === 'number') return int(value)
  return typeof value === 'string' ? `x'${value}'` : blob(value)
}

/** `(a, b, c)` */
export function tuple(...literals: readonly string[]): string {
  return `(${literals.join(', ')})`
}

/**
 * `column IN (…)`, cut into several lists: MariaDB turns a list of 1000 or more values into a join with a temporary
 * table, which locks rows in no order. Several lists on one indexed column are merged into one range scan.
 */
export function within(column: string, literals: readonly string[]): string {
  const parts = inChunks(literals, 500).map((chunk) => `${column} IN (${chunk.join(', ')})`)
  return parts.length === 1 ? String(parts[0]) : `(${parts.join(' OR ')})`
}

/** The same, where there may be none. */
export function anyOf(column: string, literals: readonly string[]): string {
  return literals.length === 0 ? '1 = 0' : within(column, literals)
}

/** Ranges per statement: SQLite refuses expressions nested a thousand deep. */
const RANGES_PER_STATEMENT = 400

/** Conditions on a key of two columns that together match exactly these pairs of literals. */
export function pairsWithin(
  first: string,
  second: string,
  pairs: Iterable<readonly [first: string, second: string]>,
): string[] {
  const seconds = new Map<string, string[]>()
  for (const [a, b] of pairs) {
    const known = seconds.get(a)
    if (known) known.push(b)
    else seconds.set(a, [b])
  }
  const ranges = [...seconds].flatMap(([a, literals]) =>
    inChunks(literals, 500).map((chunk) => `(${first} = ${a} AND ${second} IN (${chunk.join(', ')}))`),
  )
  return inChunks(ranges, RANGES_PER_STATEMENT).map((chunk) => chunk.join(' OR '))
}

export function inChunks<Item>(items: readonly Item[], size: number): Item[][] {
  const chunks: Item[][] = []
  for (let start = 0; start < items.length; start += size) chunks.push(items.slice(start, start + size))
  return chunks
}

// ---- rows

export type Row = Readonly<Record<string, unknown>>

export function intOf(row: Row, column: string): number {
  const value = row[column]
  const number = typeof value === 'string' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw unexpected(column, value)
  return number
}

export function intOrNullOf(row: Row, column: string): number | null {
  return row[column] === null ? null : intOf(row, column)
}

export function textOf(row: Row, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw unexpected(column, value)
  return value
}

export function textOrNullOf(row: Row, column: string): string | null {
  return row[column] === null ? null : textOf(row, column)
}

/** Drivers return binary columns as Buffer or as ArrayBuffer. */
export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column]
  if (value instanceof Uint8Array) return value
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  throw unexpected(column, value)
}

export function utf8Of(row: Row, column: string): string {
  return Buffer.from(bytesOf(row, column)).toString('utf8')
}

export function hexOf(row: Row, column: string): Hex {
  return Buffer.from(bytesOf(row, column)).toString('hex') as Hex
}

export function uuidOf(row: Row, column: string): string {
  const hex = hexOf(row, column)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

function unexpected(column: string, value: unknown): TypeError {
  return new TypeError(`the catalog's column ${column} holds ${typeof value} where something else belongs`)
}
