import type { ActiveProducer, DeleteRecordsRequest, DeleteRecordsResult, LogAdmin } from '../broker.js'
import { HeadraceError } from '../errors.js'
import type { LogStartSink } from '../fetch/index.js'
import type { PartitionRef } from '../model.js'
import type { Catalog, PartitionOffsets } from '../ports/catalog.js'

/** More producers of one partition than anybody reads; an answer must have a bound. */
const PRODUCERS_PER_PARTITION_MAX = 1000

/** Admin work on logs: the catalog decides, the board of watermarks learns. */
export class CatalogLogAdmin implements LogAdmin {
  constructor(
    private readonly catalog: Catalog,
    private readonly logStarts: LogStartSink,
  ) {}

  async deleteRecords(requests: readonly DeleteRecordsRequest[]): Promise<readonly DeleteRecordsResult[]> {
    if (requests.length === 0) return []
    const answers = await this.catalog.advanceLogStarts(requests)
    return requests.map((request, number) => this.#result(request, answers[number]))
  }

  async sizes(partitions: readonly PartitionRef[]): Promise<readonly (number | undefined)[]> {
    return partitions.length === 0 ? [] : this.catalog.partitionSizes(partitions)
  }

  async producers(partitions: readonly PartitionRef[]): Promise<readonly (readonly ActiveProducer[] | undefined)[]> {
    if (partitions.length === 0) return []
    const answers = await this.catalog.listProducers(partitions, PRODUCERS_PER_PARTITION_MAX)
    return answers.map((producers) =>
      producers?.map(({ usedAtMs, ...producer }) => ({ ...producer, lastTimestampMs: usedAtMs })),
    )
  }

  #result(request: DeleteRecordsRequest, offsets: PartitionOffsets | undefined): DeleteRecordsResult {
    const { topicId, partition, offset } = request
    if (offsets === undefined) {
      const text = `partition ${partition} of topic ${topicId} does not exist; refresh the metadata`
      return { error: new HeadraceError('PARTITION_UNKNOWN', 'never', text) }
    }
    const { logStartOffset, highWatermark } = offsets
    this.logStarts.advanceLogStart(topicId, partition, logStartOffset)
    if (offset === 'high-watermark' || (offset >= 0 && offset <= highWatermark)) return { logStartOffset }
    const text = `records can be deleted up to the high watermark ${highWatermark}, not to ${offset}`
    return { error: new HeadraceError('OFFSET_OUT_OF_RANGE', 'never', text) }
  }
}
