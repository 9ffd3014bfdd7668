import { randomBytes } from 'node:crypto'
import { encodeRecordBatch, type RecordInput } from '../format/index.js'

/** What benchmark records are made of. */
export type Payload = 'json' | 'json-lz4' | 'random' | 'json-1k' | 'json-1k-lz4'

/** What the parts are measured with; the agent also with records of a kilobyte. */
export const PAYLOADS: readonly Payload[] = ['json', 'json-lz4', 'random']

export const PAYLOAD_NAMES: Readonly<Record<Payload, string>> = {
  json: 'JSON logs',
  'json-lz4': 'JSON logs, LZ4 by the client',
  random: 'random bytes',
  'json-1k': 'JSON of 1 KiB',
  'json-1k-lz4': 'JSON of 1 KiB, LZ4 by the client',
}

export interface BatchShape {
  readonly payload: Payload
  readonly recordCount: number
  readonly producerId?: number
  readonly baseOffset?: number
}

const BASE_TIMESTAMP_MS = 1_750_000_000_000
const RANDOM_RECORD_BYTES = 256
const LARGE_RECORD_BYTES = 1024
const ITEM_BYTES = 75

/** A batch as a producer would build it: log lines of some 250 bytes with much that repeats, or bytes that do not. */
export function sampleBatch({ payload, recordCount, producerId = -1, baseOffset = 0 }: BatchShape): Uint8Array {
  return encodeRecordBatch({
    records: Array.from({ length: recordCount }, (_, number) => sampleRecord(payload, number)),
    compression: payload.endsWith('-lz4') ? 'lz4' : 'none',
    producerId,
    producerEpoch: producerId < 0 ? -1 : 0,
    baseSequence: producerId < 0 ? -1 : 0,
    baseOffset,
  })
}

function sampleRecord(payload: Payload, number: number): RecordInput {
  const timestampMs = BASE_TIMESTAMP_MS + number
  if (payload === 'random') return { timestampMs, value: randomBytes(RANDOM_RECORD_BYTES) }
  return {
    timestampMs,
    key: Buffer.from(`host-${number % 100}`),
    value: Buffer.from(recordValue(payload, timestampMs)),
  }
}

function recordValue(payload: Payload, timestampMs: number): string {
  return payload.startsWith('json-1k') ? eventOf(timestampMs) : logLine(timestampMs)
}

/** A log line with the items of an order, as many as make a kilobyte: half of it words that repeat, half of it ids and numbers. */
function eventOf(timestampMs: number): string {
  const line = logLine(timestampMs).slice(0, -1)
  const items: string[] = []
  for (let bytes = line.length; bytes < LARGE_RECORD_BYTES - ITEM_BYTES; bytes += ITEM_BYTES) items.push(itemOf())
  return `${line},"items":[${items.join(',')}]}`
}

function itemOf(): string {
  const id = randomBytes(12).toString('hex')
  return `{"sku":"${id}","quantity":${1 + (id.charCodeAt(0) % 9)},"warehouse":"eu-west-1"}`
}

function logLine(timestampMs: number): string {
  const noise = randomBytes(20).toString('hex')
  return JSON.stringify({
    time: new Date(timestampMs).toISOString(),
    level: timestampMs % 10 === 0 ? 'warn' : 'info',
    service: 'checkout',
    trace: noise.slice(0, 32),
    message: 'request handled',
    path: `/api/v1/orders/${noise.slice(32, 38)}/items`,
    status: 200,
    durationMs: (Number.parseInt(noise.slice(0, 4), 16) / 1000).toFixed(3),
  })
}
