import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'
import { decodePartitionNumbers, encodeTopics, type TopicPartitions } from './topic-partitions.js'

export interface DescribeProducersRequest {
  readonly topics: readonly TopicPartitions<number>[]
}

export interface DescribeProducersResponse {
  readonly topics: readonly TopicPartitions<DescribedProducersPartition>[]
}

export interface DescribedProducersPartition extends ApiError {
  readonly partition: number
  readonly producers: readonly DescribedProducer[]
}

export interface DescribedProducer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestampMs: number
}

export const describeProducers: ApiCodec<DescribeProducersRequest, DescribeProducersResponse> = {
  key: 61,
  name: 'DescribeProducers',
  validVersions: { min: 0, max: 0 },
  flexibleFrom: 0,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): DescribeProducersRequest {
  const topics = decodePartitionNumbers(reader)
  reader.tags()
  return { topics }
}

/** Coordinator epoch and first offset of the transaction: of producers without one. */
const NO_TRANSACTION = -1

function encodeResponse(writer: WireWriter, response: DescribeProducersResponse): void {
  writer.i32(0)
  encodeTopics(writer, response.topics, (partition) => {
    writer.i32(partition.partition)
    encodeApiError(writer, partition)
    writer.array(partition.producers, (producer) => {
      writer.i64(producer.producerId)
      writer.i32(producer.producerEpoch)
      writer.i32(producer.lastSequence)
      writer.i64(producer.lastTimestampMs)
      writer.i32(NO_TRANSACTION)
      writer.i64(NO_TRANSACTION)
      writer.tags()
    })
  })
  writer.tags()
}
