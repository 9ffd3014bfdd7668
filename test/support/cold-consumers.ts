import type { FetchPartition, LogReader } from '../../engine/broker.js'
import { FetchTurns } from '../../engine/fetch/index.js'
import { fetchAnswer } from './fetch-answer.js'
import { concatenate, offsetAfter, TOPIC_ID } from './test-log.js'
import { type SeededRandom, settle } from './virtual-clock.js'

/** How clients fetch; the sizes are theirs, divided by the scale of the test. */
export interface ConsumerKind {
  readonly partitionBytesMax: number
  readonly bytesMax: number
  /**
   * Leaves partitions out of a fetch as long as it has records of them that were not processed, as the Java client does; it
   * processes this many partitions' records between two fetches. Undefined: asks for all partitions each time.
   */
  readonly processedPerFetch?: number
  /** Turns of the event loop that it may rest between two fetches, at random: consumers beside each other drift apart. */
  readonly restMax?: number
  /** How much of each partition was read before, 0 to 1. Default 0. */
  readonly startShare?: number
}

/** Reads partitions to their end; answers how many fetches it took, and how many answers in a row left a partition
 * out at most. */
export async function consumeAll(
  reader: LogReader,
  partitions: readonly number[],
  endOffset: (partition: number) => number,
  kind: ConsumerKind,
  random: SeededRandom,
): Promise<{ readonly fetchCount: number; readonly waitMax: number }> {
  const turns = new FetchTurns()
  const startOffset = (partition: number) => Math.floor((kind.startShare ?? 0) * endOffset(partition))
  const signal = new AbortController().signal
  let places = partitions.map((partition) => ({ partition, offset: startOffset(partition), emptyAnswers: 0 }))
  let buffered: number[] = []
  let fetchCount = 0
  let waitMax = 0
  for (;;) {
    places = places.filter(({ partition, offset }) => offset < endOffset(partition))
    if (places.length === 0) return { fetchCount, waitMax }
    if (kind.processedPerFetch !== undefined) buffered = buffered.slice(kind.processedPerFetch)
    const asked = places.filter(({ partition }) => !buffered.includes(partition))
    if (asked.length === 0) continue
    const request = asked.map(({ partition, offset }): FetchPartition => {
      return { topicId: TOPIC_ID, partition, offset, bytesMax: kind.partitionBytesMax }
    })
    const { bytesMax } = kind
    const limits = { waitMaxMs: 0, bytesMin: 1, bytesMax }
    const results = await fetchAnswer(reader, { ...limits, partitions: request, turns, signal })
    fetchCount += 1
    for (const [number, result] of results.entries()) {
      const place = asked[number]
      if (result.error !== undefined || place === undefined) throw result.error ?? new Error('no such place')
      place.emptyAnswers = result.bytes > 0 ? 0 : place.emptyAnswers + 1
      waitMax = Math.max(waitMax, place.emptyAnswers)
      if (result.bytes > 0 && kind.processedPerFetch !== undefined) buffered.push(place.partition)
      place.offset = offsetAfter(concatenate(result.chunks), place.offset)
    }
    const rest = Math.floor(random.fraction() * (kind.restMax ?? 0))
    for (let turn = 0; turn < rest; turn++) await settle()
  }
}
