import type { ActiveProducer } from '../../../engine/broker.js'
import type { PartitionRef } from '../../../engine/model.js'
import type {
  DescribedProducersPartition,
  DescribeProducersRequest,
  DescribeProducersResponse,
} from '../apis/61-describe-producers.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaFailure } from '../errors.js'
import { failureOf, partitionFailure, resolveNames, unknownTopic } from './resolve-topics.js'

export async function handleDescribeProducers(
  context: RequestContext,
  request: DescribeProducersRequest,
): Promise<DescribeProducersResponse> {
  const resolved = await resolveNames(
    context,
    request.topics.map(({ name }) => name),
  )
  const lookups: PartitionRef[] = []
  const plan = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition): Planned => {
      const { topic, failure } = resolved.get(name)!
      const refused = failure ?? partitionFailure(context, topic, partition)
      if (refused !== undefined) return { partition, failure: refused }
      return {
        partition,
        failure: unknownTopic(name),
        lookup: lookups.push({ topicId: topic!.topicId, partition }) - 1,
      }
    }),
  }))
  const found = await producersOf(context, lookups)
  const topics = plan.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((planned) => answer(planned, found)),
  }))
  return { topics }
}

interface Planned {
  readonly partition: number
  /** What is answered where the catalog does not know the partition either. */
  readonly failure: KafkaFailure
  readonly lookup?: number
}

type Found = readonly (readonly ActiveProducer[] | undefined)[] | KafkaFailure

async function producersOf(context: RequestContext, lookups: readonly PartitionRef[]): Promise<Found> {
  try {
    return await context.broker.logs.producers(lookups)
  } catch (error) {
    return failureOf(context, error)
  }
}

function answer({ partition, failure, lookup }: Planned, found: Found): DescribedProducersPartition {
  if (lookup === undefined) return { partition, ...failure, producers: [] }
  if ('errorCode' in found) return { partition, ...found, producers: [] }
  const producers = found[lookup]
  if (producers === undefined) return { partition, ...failure, producers: [] }
  return { partition, errorCode: KafkaError.NONE, errorMessage: null, producers }
}
