import type { OffsetRequest, OffsetResult, OffsetSpec } from '../../../engine/broker.js'
import { isHeadraceError } from '../../../engine/errors.js'
import {
  EARLIEST_LOCAL_TIMESTAMP,
  EARLIEST_TIMESTAMP,
  LATEST_TIERED_TIMESTAMP,
  LATEST_TIMESTAMP,
  type ListOffsetsPartition,
  type ListOffsetsPartitionResponse,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  MAX_TIMESTAMP,
} from '../apis/02-list-offsets.js'
import { LEADER_EPOCH } from '../apis/03-metadata.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaErrorCode } from '../errors.js'
import { failureOf, forgetUnknown, partitionFailure, type Resolved, resolveNames } from './resolve-topics.js'

/** First versions that know the special timestamps. */
const MAX_TIMESTAMP_VERSION_MIN = 7
const EARLIEST_LOCAL_VERSION_MIN = 8
const LATEST_TIERED_VERSION_MIN = 9

export async function handleListOffsets(
  context: RequestContext,
  request: ListOffsetsRequest,
  version: number,
): Promise<ListOffsetsResponse> {
  const resolved = await resolveNames(
    context,
    request.topics.map(({ name }) => name),
  )
  const lookups: OffsetRequest[] = []
  const plan = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition) => planPartition(context, resolved.get(name)!, partition, version, lookups)),
  }))
  const results = lookups.length === 0 ? [] : await listOffsets(context, lookups)
  const topics = plan.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((planned) => answer(context, planned, results)),
  }))
  return { topics }
}

type Planned =
  | { readonly partition: number; readonly lookup: number; readonly errorCode?: never }
  | { readonly partition: number; readonly errorCode: KafkaErrorCode; readonly lookup?: never }

function planPartition(
  context: RequestContext,
  { topic, failure }: Resolved,
  { partition, timestamp }: ListOffsetsPartition,
  version: number,
  lookups: OffsetRequest[],
): Planned {
  const refused = failure ?? partitionFailure(context, topic, partition)
  if (refused !== undefined) return { partition, errorCode: refused.errorCode }
  const spec = specOf(timestamp, version)
  if (spec === undefined) return { partition, errorCode: KafkaError.UNSUPPORTED_VERSION }
  // Nothing is ever tiered away from the object store: "no such offset" is the whole answer.
  if (spec === 'none') return { partition, errorCode: KafkaError.NONE }
  lookups.push({ topicId: topic!.topicId, partition, spec })
  return { partition, lookup: lookups.length - 1 }
}

/** Undefined: the version does not know this timestamp. */
function specOf(timestamp: number, version: number): OffsetSpec | 'none' | undefined {
  if (timestamp >= 0) return { timestampMs: timestamp }
  if (timestamp === LATEST_TIMESTAMP) return 'latest'
  if (timestamp === EARLIEST_TIMESTAMP) return 'earliest'
  if (timestamp === MAX_TIMESTAMP && version >= MAX_TIMESTAMP_VERSION_MIN) return 'max-timestamp'
  if (timestamp === EARLIEST_LOCAL_TIMESTAMP && version >= EARLIEST_LOCAL_VERSION_MIN) return 'earliest'
  if (timestamp === LATEST_TIERED_TIMESTAMP && version >= LATEST_TIERED_VERSION_MIN) return 'none'
  return undefined
}

async function listOffsets(
  context: RequestContext,
  lookups: readonly OffsetRequest[],
): Promise<readonly OffsetResult[]> {
  try {
    const results = await context.broker.reader.listOffsets(lookups)
    forgetUnknown(context, lookups, results)
    return results
  } catch (error) {
    if (!isHeadraceError(error)) throw error
    return lookups.map(() => ({ error, offset: -1, timestampMs: -1 }))
  }
}

function answer(
  context: RequestContext,
  planned: Planned,
  results: readonly OffsetResult[],
): ListOffsetsPartitionResponse {
  const { partition } = planned
  if (planned.lookup === undefined) {
    return { partition, errorCode: planned.errorCode, offset: -1, timestampMs: -1, leaderEpoch: -1 }
  }
  const { error, offset, timestampMs } = results[planned.lookup]!
  if (error !== undefined) {
    const { errorCode } = failureOf(context, error)
    return { partition, errorCode, offset: -1, timestampMs: -1, leaderEpoch: -1 }
  }
  return { partition, errorCode: KafkaError.NONE, offset, timestampMs, leaderEpoch: offset < 0 ? -1 : LEADER_EPOCH }
}
