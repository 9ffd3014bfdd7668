import { randomBytes } from 'node:crypto'
import { KafkaError } from '../../adapters/kafka/errors.js'
import { crc32c, encodeRecordBatch, iterateBatches, patchBatch } from '../../format/index.js'
import { decodeFrame, RawClient } from '../support/kafka/raw-client.js'

/** Produces to, and replays, hundreds of partitions, and knows every batch by its bytes. */
export const TOPIC = 'soak'

export interface SoakLog {
  /** CRC of each acknowledged batch as a reader has to get it, by base offset, per partition. */
  readonly batches: Map<number, { readonly crc: number; readonly endOffset: number }>[]
  /** What went wrong, in words. */
  readonly errors: string[]
  producedBytes: number
  replayedBytes: number
  replayCount: number
}

export function newSoakLog(partitionCount: number): SoakLog {
  const batches = Array.from({ length: partitionCount }, () => new Map())
  return { batches, errors: [], producedBytes: 0, replayedBytes: 0, replayCount: 0 }
}

const PARTITIONS_PER_REQUEST = 25
const RECEIVE_TIMEOUT_MS = 30_000
const EMPTY_ANSWERS_MAX = 50
/** A reader gets batches with this epoch. */
const LEADER_EPOCH = 0

export async function openClient(port: number): Promise<RawClient> {
  return RawClient.open(port, { receiveTimeoutMs: RECEIVE_TIMEOUT_MS })
}

/** One connection that produces until told to stop, one request after the other. */
export async function produceUntil(signal: AbortSignal, port: number, log: SoakLog, pauseMs: number): Promise<void> {
  const client = await openClient(port)
  try {
    for (let round = 0; !signal.aborted; round++) {
      const sent = chosenPartitions(log.batches.length).map((partition) => ({ partition, records: newBatch(round) }))
      const answer = await client.request('produce', 7, { acks: -1, topics: [{ name: TOPIC, partitions: sent }] })
      for (const [index, { partition, errorCode, baseOffset }] of answer.topics[0].partitions.entries()) {
        const records = sent[index]?.records
        if (errorCode !== 0 || records === undefined) log.errors.push(`Produce to ${partition} answered ${errorCode}`)
        else remember(log, partition, records, baseOffset)
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  } finally {
    client.destroy()
  }
}

function remember(log: SoakLog, partition: number, records: Uint8Array, baseOffset: number): void {
  patchBatch(records, 0, baseOffset, LEADER_EPOCH)
  const [batch] = iterateBatches(records)
  const endOffset = baseOffset + (batch?.header.lastOffsetDelta ?? 0) + 1
  log.batches[partition]?.set(baseOffset, { crc: crc32c(records), endOffset })
  log.producedBytes += records.byteLength
}

function chosenPartitions(partitionCount: number): number[] {
  const first = Math.floor(Math.random() * partitionCount)
  const count = Math.min(PARTITIONS_PER_REQUEST, partitionCount)
  return Array.from({ length: count }, (_, index) => (first + index * 7) % partitionCount).filter(isFirst)
}

function isFirst<Item>(item: Item, index: number, items: readonly Item[]): boolean {
  return items.indexOf(item) === index
}

/** Half of it compresses. */
function newBatch(round: number): Uint8Array {
  const timestampMs = Date.now()
  const records = Array.from({ length: 4 }, (_, number) => ({
    timestampMs,
    key: Uint8Array.from([number]),
    value: Uint8Array.from([...randomBytes(100), ...new Uint8Array(100).fill(round & 0xff)]),
  }))
  return encodeRecordBatch({ records })
}

/** One connection that reads partition after partition from its start to its end, until told to stop. */
export async function replayUntil(signal: AbortSignal, port: number, log: SoakLog): Promise<void> {
  const client = await openClient(port)
  try {
    while (!signal.aborted) {
      const partition = Math.floor(Math.random() * log.batches.length)
      await replay(client, partition, log)
      log.replayCount += 1
    }
  } finally {
    client.destroy()
  }
}

/** Reads a partition from where it starts; where retention overtakes the reading it goes on from the new start. */
export async function replay(client: RawClient, partition: number, log: SoakLog): Promise<void> {
  let offset = await startOf(client, partition)
  let emptyCount = 0
  for (;;) {
    const { errorCode, highWatermark, records } = await fetchFrom(client, partition, offset)
    if (errorCode === KafkaError.OFFSET_OUT_OF_RANGE) {
      const start = await startOf(client, partition)
      if (start <= offset)
        log.errors.push(`offset ${offset} of partition ${partition} is out of range, ${start} is not`)
      if (start <= offset) return
      offset = start
    } else if (errorCode !== 0) {
      log.errors.push(`Fetch of partition ${partition} from ${offset} answered ${errorCode}`)
      return
    } else if (records.byteLength > 0) {
      offset = check(log, partition, offset, records)
      emptyCount = 0
    } else {
      if (offset >= highWatermark) return
      // The watermark may be later news than the extents that were read for the same answer.
      if (++emptyCount > EMPTY_ANSWERS_MAX) {
        log.errors.push(`nothing at ${offset} of partition ${partition}`)
        return
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** Holds what was read against what was sent; answers where it ends. */
function check(log: SoakLog, partition: number, fromOffset: number, records: Uint8Array): number {
  let offset = fromOffset
  log.replayedBytes += records.byteLength
  for (const { position, header } of iterateBatches(records)) {
    const endOffset = header.baseOffset + header.lastOffsetDelta + 1
    const sent = log.batches[partition]?.get(header.baseOffset)
    const crc = crc32c(records.subarray(position, position + header.bytes))
    // The first batch may begin before the offset asked for.
    if (header.baseOffset > offset) log.errors.push(`a hole at ${offset} of partition ${partition}`)
    // A batch that is just being acknowledged is not known yet.
    if (sent !== undefined && (sent.crc !== crc || sent.endOffset !== endOffset)) {
      log.errors.push(`other bytes at ${header.baseOffset} of partition ${partition}`)
    }
    offset = endOffset
  }
  return offset
}

async function startOf(client: RawClient, partition: number): Promise<number> {
  const topics = [{ name: TOPIC, partitions: [{ partition, timestamp: -2 }] }]
  const answer = await client.request('listOffsets', 5, { isolationLevel: 0, topics })
  const { errorCode, offset } = answer.topics[0].partitions[0]
  if (errorCode !== 0) throw new Error(`ListOffsets answered ${errorCode}`)
  return offset
}

interface Fetched {
  readonly errorCode: number
  readonly highWatermark: number
  readonly records: Uint8Array
}

async function fetchFrom(client: RawClient, partition: number, offset: number): Promise<Fetched> {
  const correlationId = client.begin('fetch', 11, {
    waitMaxMs: 0,
    bytesMin: 0,
    bytesMax: 50 << 20,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    rackId: '',
    topics: [{ name: TOPIC, partitions: [{ partition, fetchOffset: offset, bytesMax: 1 << 20 }] }],
  })
  const frame = await client.receive()
  if (frame === undefined) throw new Error('the agent closed the connection')
  const answer = decodeFrame('fetch', 11, frame, correlationId)
  const { errorCode, highWatermark, records } = answer.topics[0].partitions[0]
  const { position = 0, bytes = 0 } = records ?? {}
  return { errorCode, highWatermark, records: frame.subarray(position, position + bytes) }
}
