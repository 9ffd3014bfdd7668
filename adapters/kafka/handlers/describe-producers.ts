import type { ActiveProducer } from '../../../engine/broker.js'
import { HeadraceError } from '../../../engine/errors.js'
import type { PartitionRef } from '../../../engine/model.js'
import type {
  DescribedProducersPartition,
  DescribeProducersRequest,
  DescribeProducersResponse,
} from '../apis/61-describe-producers.js'
import type { RequestContext } from '../context.js'
import { KafkaError } from '../errors.js'
import { lookUpPlanned, planPartitions } from './plan-partitions.js'

export async function handleDescribeProducers(
  context: RequestContext,
  request: DescribeProducersRequest,
): Promise<DescribeProducersResponse> {
  const plan = await planPartitions(context, request.topics, (ref, _partition, { name }) => ({ ...ref, name }))
  const topics = await lookUpPlanned(context, plan, {
    ask: (refs) => producersOf(context, refs),
    found: (partition, { producers }): DescribedProducersPartition => ({
      partition,
      errorCode: KafkaError.NONE,
      errorMessage: null,
      producers,
    }),
    refused: (partition, { errorCode, errorMessage = null }) => ({ partition, errorCode, errorMessage, producers: [] }),
  })
  return { topics }
}

type Found =
  | { readonly producers: readonly ActiveProducer[]; readonly error?: never }
  | { readonly error: HeadraceError }

async function producersOf(
  { broker }: RequestContext,
  refs: readonly (PartitionRef & { readonly name: string })[],
): Promise<readonly Found[]> {
  const found = await broker.logs.producers(refs.map(({ topicId, partition }) => ({ topicId, partition })))
  return refs.map(({ name }, place) => {
    const producers = found[place]
    if (producers !== undefined) return { producers }
    return { error: new HeadraceError('PARTITION_UNKNOWN', 'never', `There is no topic ${name}`) }
  })
}
