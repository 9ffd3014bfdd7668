import type { Admin } from '@platformatic/kafka'
import { InvalidArgumentError } from 'commander'

/** Where to begin in a log, as people write it. */
export type OffsetSpec =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'offset'; readonly offset: bigint }
  | { readonly kind: 'time'; readonly timestampMs: number }

export const OFFSET_SPEC_TEXT =
  'earliest, latest, an offset, or a time: ISO 8601, or milliseconds since 1970 from 10^12 on'

/** No log has that many records; as milliseconds it was in 2001. */
const TIME_MS_MIN = 1e12

export function parseOffsetSpec(text: string): OffsetSpec {
  if (text === 'earliest' || text === 'latest') return { kind: text }
  if (/^\d{1,16}$/.test(text)) {
    const number = Number(text)
    return number >= TIME_MS_MIN ? { kind: 'time', timestampMs: number } : { kind: 'offset', offset: BigInt(text) }
  }
  const timestampMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(timestampMs)) throw new InvalidArgumentError(`Use ${OFFSET_SPEC_TEXT}.`)
  return { kind: 'time', timestampMs }
}

/** By partition. */
export type Offsets = Map<number, bigint>

const EARLIEST = -2n
const LATEST = -1n

export interface LogBounds {
  readonly earliest: Offsets
  readonly latest: Offsets
}

export async function logBounds(admin: Admin, topic: string, partitions: readonly number[]): Promise<LogBounds> {
  const [earliest, latest] = await Promise.all([
    offsetsAt(admin, topic, partitions, EARLIEST),
    offsetsAt(admin, topic, partitions, LATEST),
  ])
  return { earliest, latest }
}

/** The offset of each partition that `spec` means: never outside of the log; its end, where no record is that young. */
export async function resolveOffsets(
  admin: Admin,
  topic: string,
  partitions: readonly number[],
  spec: OffsetSpec,
): Promise<Offsets> {
  const { earliest, latest } = await logBounds(admin, topic, partitions)
  if (spec.kind === 'earliest') return earliest
  if (spec.kind === 'latest') return latest
  const found = spec.kind === 'time' ? await offsetsAt(admin, topic, partitions, BigInt(spec.timestampMs)) : undefined
  return new Map(
    partitions.map((partition) => {
      const [first, end] = [earliest.get(partition) ?? 0n, latest.get(partition) ?? 0n]
      const wanted = spec.kind === 'offset' ? spec.offset : (found?.get(partition) ?? -1n)
      if (wanted < 0n || wanted > end) return [partition, end]
      return [partition, wanted < first ? first : wanted]
    }),
  )
}

async function offsetsAt(
  admin: Admin,
  topic: string,
  partitions: readonly number[],
  timestamp: bigint,
): Promise<Offsets> {
  if (partitions.length === 0) return new Map()
  const wanted = partitions.map((partitionIndex) => ({ partitionIndex, timestamp }))
  const answers = await admin.listOffsets({ topics: [{ name: topic, partitions: wanted }] })
  return new Map(
    answers.flatMap((answer) => answer.partitions.map(({ partitionIndex, offset }) => [partitionIndex, offset])),
  )
}

/** Numbers of the topic's partitions. */
export async function partitionsOf(admin: Admin, topic: string): Promise<number[]> {
  const { topics } = await admin.metadata({ topics: [topic], autocreateTopics: false })
  return Array.from({ length: topics.get(topic)?.partitionsCount ?? 0 }, (_, partition) => partition)
}
