import type { MessageToProduce } from '@platformatic/kafka'

/** Without a topic and a place, which the command gives. */
export type InputRecord = Pick<MessageToProduce, 'key' | 'value' | 'partition' | 'timestamp'> & {
  readonly headers: Map<Buffer, Buffer>
}

export interface InputFormat {
  readonly json: boolean
  readonly keySeparator: string | undefined
  /** A value of this text is a null: a tombstone. */
  readonly nullValue: string | undefined
  /** For every record. */
  readonly headers: Readonly<Record<string, string>>
}

const LINE_FEED = 0x0a
/** A line that does not end is no line. */
const LINE_BYTES_MAX = 100 * 1024 * 1024

/** The lines of a stream as bytes, without their ends; what follows the last end is a line too, unless it is empty. */
export async function* linesOf(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = []
  let restBytes = 0
  for await (const chunk of input) {
    const bytes =
      typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    let start = 0
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      yield Buffer.concat([...rest, bytes.subarray(start, end)])
      rest = []
      restBytes = 0
      start = end + 1
    }
    rest.push(bytes.subarray(start))
    restBytes += bytes.length - start
    if (restBytes > LINE_BYTES_MAX) throw new Error(`a line is longer than ${LINE_BYTES_MAX} bytes`)
  }
  if (restBytes > 0) yield Buffer.concat(rest)
}

/** @throws Error that names the line */
export function recordOf(line: Buffer, lineNumber: number, format: InputFormat): InputRecord {
  const headers = new Map(Object.entries(format.headers).map(([key, value]) => [Buffer.from(key), Buffer.from(value)]))
  if (format.json) return jsonRecord(line, lineNumber, headers)
  const { keySeparator, nullValue } = format
  if (keySeparator === undefined) return { ...valueFrom(line, nullValue), headers }
  const separator = Buffer.from(keySeparator)
  const at = line.indexOf(separator)
  if (at < 0) throw new Error(`line ${lineNumber} has no key separator ${JSON.stringify(keySeparator)}`)
  return { key: line.subarray(0, at), ...valueFrom(line.subarray(at + separator.length), nullValue), headers }
}

function valueFrom(bytes: Buffer, nullValue: string | undefined): Pick<InputRecord, 'value'> {
  return nullValue !== undefined && bytes.equals(Buffer.from(nullValue)) ? {} : { value: bytes }
}

/** As `consume --json` prints them, so that the one's output is the other's input. */
function jsonRecord(line: Buffer, lineNumber: number, headers: Map<Buffer, Buffer>): InputRecord {
  let fields: unknown
  try {
    fields = JSON.parse(line.toString('utf8'))
  } catch {
    throw new Error(`line ${lineNumber} is not JSON`)
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new Error(`line ${lineNumber} is no JSON object`)
  }
  const record = fields as Record<string, unknown>
  const where = `line ${lineNumber}`
  for (const header of record['headers'] === undefined ? [] : listOf(record['headers'], where)) {
    const key = bytesField(header, 'key', where)
    if (key === undefined) throw new Error(`${where}: a header has no key`)
    headers.set(key, bytesField(header, 'value', where) ?? Buffer.alloc(0))
  }
  const key = bytesField(record, 'key', where)
  const value = bytesField(record, 'value', where)
  const partition = integerField(record, 'partition', where)
  const timestamp = integerField(record, 'timestamp', where)
  return {
    ...(key === undefined ? {} : { key }),
    ...(value === undefined ? {} : { value }),
    ...(partition === undefined ? {} : { partition }),
    ...(timestamp === undefined ? {} : { timestamp: BigInt(timestamp) }),
    headers,
  }
}

function listOf(value: unknown, where: string): readonly Record<string, unknown>[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null)) return value
  throw new Error(`${where}: headers must be a list of objects with key and value`)
}

function bytesField(record: Record<string, unknown>, name: string, where: string): Buffer | undefined {
  const value = record[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') return Buffer.from(JSON.stringify(value))
  const encoding = record[`${name}Encoding`]
  if (encoding === undefined) return Buffer.from(value)
  if (encoding === 'base64') return Buffer.from(value, 'base64')
  throw new Error(`${where}: ${name}Encoding must be base64`)
}

function integerField(record: Record<string, unknown>, name: string, where: string): number | undefined {
  const value = record[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`${where}: ${name} must be an integer from 0 on`)
}
