import type { OffsetResult } from '../../../engine/broker.js'
import { isHeadraceError } from '../../../engine/errors.js'
import type { PartitionRef } from '../../../engine/model.js'
import { LEADER_EPOCH } from '../apis/03-metadata.js'
import type {
  LeaderEpochPartitionResponse,
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../apis/23-offset-for-leader-epoch.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaErrorCode } from '../errors.js'
import { failureOf, forgetUnknown, partitionFailure, resolveNames } from './resolve-topics.js'

/**
 * Where an epoch ends: there is one, which no log was ever cut back from, so that it ends where the log does. A later one,
 * which a client can only have from another cluster, is answered alike: "not known" would make it reset its position.
 */
export async function handleOffsetForLeaderEpoch(
  context: RequestContext,
  request: OffsetForLeaderEpochRequest,
): Promise<OffsetForLeaderEpochResponse> {
  const resolved = await resolveNames(
    context,
    request.topics.map(({ name }) => name),
  )
  const lookups: PartitionRef[] = []
  const plan = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partition, leaderEpoch }): Planned => {
      const { topic, failure } = resolved.get(name)!
      const refused = failure ?? partitionFailure(context, topic, partition)
      if (refused !== undefined) return { partition, errorCode: refused.errorCode }
      if (leaderEpoch < LEADER_EPOCH) return { partition, errorCode: KafkaError.NONE }
      lookups.push({ topicId: topic!.topicId, partition })
      return { partition, lookup: lookups.length - 1 }
    }),
  }))
  const ends = lookups.length === 0 ? [] : await endOffsets(context, lookups)
  forgetUnknown(context, lookups, ends)
  return {
    topics: plan.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((planned) => answer(context, planned, ends)),
    })),
  }
}

type Planned =
  | { readonly partition: number; readonly lookup: number; readonly errorCode?: never }
  | { readonly partition: number; readonly errorCode: KafkaErrorCode; readonly lookup?: never }

async function endOffsets(
  { broker }: RequestContext,
  lookups: readonly PartitionRef[],
): Promise<readonly OffsetResult[]> {
  try {
    return await broker.reader.listOffsets(lookups.map((partition) => ({ ...partition, spec: 'latest' })))
  } catch (error) {
    if (!isHeadraceError(error)) throw error
    return lookups.map(() => ({ error, offset: -1, timestampMs: -1 }))
  }
}

function answer(
  context: RequestContext,
  { partition, errorCode, lookup }: Planned,
  ends: readonly OffsetResult[],
): LeaderEpochPartitionResponse {
  if (lookup === undefined) return { partition, errorCode, leaderEpoch: -1, endOffset: -1 }
  const { error, offset } = ends[lookup]!
  if (error === undefined) {
    return { partition, errorCode: KafkaError.NONE, leaderEpoch: LEADER_EPOCH, endOffset: offset }
  }
  return { partition, errorCode: failureOf(context, error).errorCode, leaderEpoch: -1, endOffset: -1 }
}
