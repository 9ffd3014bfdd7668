import { encodeRecordBatch, iterateBatches, iterateRecords } from '../../format/index.js'
import { concatenate } from '../support/test-log.js'
import type { BatchIdentity, ReadBatch } from './history.js'

const utf8 = { encode: new TextEncoder(), decode: new TextDecoder() }

export interface BatchContent extends BatchIdentity {
  readonly recordCount: number
  readonly timestampMs: number
  readonly producerId: number
  readonly baseSequence: number
  /** Makes batches differ in size. */
  readonly padding: number
}

/** A batch whose records say where it comes from. */
export function encodeBatch(content: BatchContent): Uint8Array {
  const { client, request, number, recordCount, timestampMs, producerId, baseSequence } = content
  const text = `${client} ${request} ${number} ${'.'.repeat(content.padding)}`
  return encodeRecordBatch({
    records: Array.from({ length: recordCount }, (_, index) => {
      return { timestampMs, value: utf8.encode.encode(index === 0 ? text : `+${index}`) }
    }),
    producerId,
    producerEpoch: producerId < 0 ? -1 : 0,
    baseSequence,
  })
}

/** Decodes whole batches as a consumer gets them. @throws FormatError when they are damaged */
export function readBatches(chunks: readonly Uint8Array[]): ReadBatch[] {
  const content = concatenate(chunks)
  return [...iterateBatches(content)].map(({ position, header }) => {
    const { baseOffset, crc } = header
    const endOffset = baseOffset + header.lastOffsetDelta + 1
    const first = iterateRecords(content.subarray(position, position + header.bytes)).next().value
    const [client = '', request, number] = utf8.decode.decode(first?.value ?? undefined).split(' ')
    return { client, request: Number(request), number: Number(number), baseOffset, endOffset, crc }
  })
}
