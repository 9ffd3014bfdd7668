import type { Consumer, RecordsBatch } from '@platformatic/kafka'
import { errorCodesOf, PASSING_ERRORS } from './client-failure.js'
import type { Offsets } from './offset-spec.js'
import type { ReadRecord } from './record-text.js'

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>

/** Of the protocol's attributes of a batch. */
const LOG_APPEND_TIME = 0x08
const CONTROL = 0x20
const OFFSET_OUT_OF_RANGE = 1
const FETCH_WAIT_MS = 500
const FETCH_BYTES_MAX = 8 * 1024 * 1024
const RETRY_DELAY_MS = 300
/** Half a minute of nothing but failures. */
const FAILURES_MAX = 100

export interface TopicReaderOptions {
  readonly consumer: Consumer
  readonly topic: string
  /** Where each partition goes on; moved forward as records are given out. */
  readonly positions: Offsets
  /** Offset at which each partition is done; without it, never. */
  readonly ends: Offsets | undefined
  /** Asked between rounds. */
  readonly isOver: () => boolean
  /** Called between rounds, when everything given out has been dealt with. */
  readonly onRound: () => Promise<void>
  /** Positions that have left the log: their records were deleted meanwhile. */
  readonly onGap: (partition: number) => Promise<bigint>
}

/**
 * Reads partitions of a topic, round by round: one fetch to each agent that leads some of them. The library's own stream knows
 * neither append times nor repeated headers, and needs a group.
 */
export async function* readTopic(options: TopicReaderOptions): AsyncGenerator<ReadRecord> {
  const { consumer, topic, isOver } = options
  let refresh = true
  let failureCount = 0
  while (!isOver()) {
    await options.onRound()
    const open = openPartitions(options)
    if (open.length === 0) return
    const rounds = await planRound(options, open, refresh)
    refresh = false
    const answers = await Promise.all(rounds.map((round) => fetchRound(consumer, round)))
    let failed = false
    for (const { response, passing } of answers) {
      failed ||= passing
      for (const partition of response?.responses.flatMap(({ partitions }) => partitions) ?? []) {
        const { partitionIndex, errorCode, records } = partition
        if (errorCode === OFFSET_OUT_OF_RANGE) {
          options.positions.set(partitionIndex, await options.onGap(partitionIndex))
        } else if (errorCode === 0) {
          for (const batch of records ?? []) yield* recordsOf(topic, partitionIndex, batch, options)
        }
      }
    }
    refresh = failed
    failureCount = failed ? failureCount + 1 : 0
    if (failureCount > FAILURES_MAX) throw new Error(`the partitions of ${topic} cannot be read; see the agents' logs`)
    if (failed) await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS))
  }
}

function openPartitions({ positions, ends }: TopicReaderOptions): number[] {
  return [...positions.keys()].filter((partition) => {
    const end = ends?.get(partition)
    return end === undefined || (positions.get(partition) ?? 0n) < end
  })
}

interface Round {
  readonly node: number
  readonly topicId: string
  readonly partitions: readonly { readonly partition: number; readonly offset: bigint }[]
}

async function planRound(
  { consumer, topic, positions }: TopicReaderOptions,
  open: readonly number[],
  forceUpdate: boolean,
): Promise<Round[]> {
  const { topics } = await consumer.metadata({ topics: [topic], autocreateTopics: false, forceUpdate })
  const described = topics.get(topic)
  if (described === undefined) throw new Error(`there is no topic ${topic}`)
  const byLeader = new Map<number, { partition: number; offset: bigint }[]>()
  for (const partition of open) {
    const leader = described.partitions[partition]?.leader
    if (leader === undefined) throw new Error(`topic ${topic} has no partition ${partition}`)
    const led = byLeader.get(leader) ?? []
    byLeader.set(leader, [...led, { partition, offset: positions.get(partition) ?? 0n }])
  }
  return [...byLeader].map(([node, partitions]) => ({ node, topicId: described.id, partitions }))
}

interface RoundAnswer {
  readonly response: FetchResponse | undefined
  /** Whether something failed that another try may find well. */
  readonly passing: boolean
}

async function fetchRound(consumer: Consumer, { node, topicId, partitions }: Round): Promise<RoundAnswer> {
  const asked = partitions.map(({ partition, offset }) => ({
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: offset,
    lastFetchedEpoch: -1,
    partitionMaxBytes: FETCH_BYTES_MAX,
  }))
  try {
    const response = await consumer.fetch({
      node,
      topics: [{ topicId, partitions: asked }],
      minBytes: 1,
      maxBytes: FETCH_BYTES_MAX,
      maxWaitTime: FETCH_WAIT_MS,
    })
    return { response, passing: false }
  } catch (error) {
    // An error of one partition rejects the whole answer, which is in the error.
    const lasting = errorCodesOf(error).filter(
      (code) => !PASSING_ERRORS.includes(code) && code !== 'OFFSET_OUT_OF_RANGE',
    )
    if (lasting.length > 0 || isOurFault(error)) throw error
    return { response: responseIn(error), passing: !errorCodesOf(error).includes('OFFSET_OUT_OF_RANGE') }
  }
}

function responseIn(error: unknown): FetchResponse | undefined {
  if (!(error instanceof Error)) return undefined
  const { response, errors = [] } = error as Error & { response?: FetchResponse; errors?: readonly unknown[] }
  return response ?? errors.map(responseIn).find((found) => found !== undefined)
}

/** Neither the network's nor a broker's: bytes that cannot be decoded, for one. */
function isOurFault(error: unknown): boolean {
  return !(error instanceof Error && String((error as { code?: unknown }).code).startsWith('PLT_KFK_'))
}

function* recordsOf(
  topic: string,
  partition: number,
  batch: RecordsBatch,
  { positions, ends }: TopicReaderOptions,
): Generator<ReadRecord> {
  const end = ends?.get(partition)
  if ((batch.attributes & CONTROL) === 0) {
    for (const record of batch.records) {
      const offset = batch.firstOffset + BigInt(record.offsetDelta)
      // A batch may begin before the offset asked for, and reach beyond the end.
      if (offset < (positions.get(partition) ?? 0n) || (end !== undefined && offset >= end)) continue
      positions.set(partition, offset + 1n)
      const appended = (batch.attributes & LOG_APPEND_TIME) !== 0
      const timestampMs = Number(appended ? batch.maxTimestamp : batch.firstTimestamp + record.timestampDelta)
      const headers = record.headers.map(([key, value]) => ({ key: key ?? Buffer.alloc(0), value }))
      yield { topic, partition, offset, timestampMs, key: record.key, value: record.value, headers }
    }
  }
  const next = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n
  if (next > (positions.get(partition) ?? 0n)) positions.set(partition, next)
}
