/** A record as it was read. */
export interface ReadRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

export interface RecordHeader {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Undefined where the bytes are not UTF-8. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** One JSON object. What is not UTF-8 is base64, and says so in a field beside it: `valueEncoding` for `value`. */
export function recordJson(record: ReadRecord): string {
  const { topic, partition, offset, timestampMs, key, value, headers } = record
  return `${JSON.stringify({
    topic,
    partition,
    offset: Number(offset),
    timestamp: timestampMs,
    ...jsonField('key', key),
    ...jsonField('value', value),
    headers: headers.map((header) => ({ ...jsonField('key', header.key), ...jsonField('value', header.value) })),
  })}\n`
}

function jsonField(name: string, bytes: Uint8Array | null): Record<string, string | null> {
  if (bytes === null) return { [name]: null }
  const text = utf8(bytes)
  return text === undefined ? { [name]: base64(bytes), [`${name}Encoding`]: 'base64' } : { [name]: text }
}

/** For people: `partition:offset  time  key  value  headers`, tabs between them. Control characters are escaped. */
export function recordLine({ partition, offset, timestampMs, key, value, headers }: ReadRecord): string {
  const fields = [`${partition}:${offset}`, timeText(timestampMs), shown(key), shown(value)]
  if (headers.length > 0) fields.push(headers.map((header) => `${shown(header.key)}=${shown(header.value)}`).join(' '))
  return `${fields.join('\t')}\n`
}

function timeText(timestampMs: number): string {
  const time = new Date(timestampMs)
  return timestampMs < 0 || Number.isNaN(time.getTime()) ? '-' : time.toISOString()
}

function shown(bytes: Uint8Array | null): string {
  if (bytes === null) return '-'
  const text = utf8(bytes)
  if (text === undefined) return `base64:${base64(bytes)}`
  // A record must stay one line, and must not steer the terminal.
  return text.replace(/[\p{Cc}]/gu, (character) => JSON.stringify(character).slice(1, -1))
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
