import type { OffsetRequest } from '../../../engine/broker.js'
import { LEADER_EPOCH } from '../apis/03-metadata.js'
import type {
  LeaderEpochPartitionResponse,
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../apis/23-offset-for-leader-epoch.js'
import type { RequestContext } from '../context.js'
import { KafkaError } from '../errors.js'
import { lookUpPlanned, planPartitions, type Refusal } from './plan-partitions.js'

/**
 * Where an epoch ends: there is one, which no log was ever cut back from, so that it ends where the log does. A later one,
 * which a client can only have from another cluster, is answered alike: "not known" would make it reset its position.
 */
export async function handleOffsetForLeaderEpoch(
  context: RequestContext,
  request: OffsetForLeaderEpochRequest,
): Promise<OffsetForLeaderEpochResponse> {
  const plan = await planPartitions(context, request.topics, (ref, { leaderEpoch }): OffsetRequest | Refusal =>
    leaderEpoch < LEADER_EPOCH ? { errorCode: KafkaError.NONE } : { ...ref, spec: 'latest' },
  )
  const topics = await lookUpPlanned(context, plan, {
    ask: (refs) => context.broker.reader.listOffsets(refs),
    found: (partition, { offset }): LeaderEpochPartitionResponse => ({
      partition,
      errorCode: KafkaError.NONE,
      leaderEpoch: LEADER_EPOCH,
      endOffset: offset,
    }),
    refused: (partition, { errorCode }) => ({ partition, errorCode, leaderEpoch: -1, endOffset: -1 }),
  })
  return { topics }
}
