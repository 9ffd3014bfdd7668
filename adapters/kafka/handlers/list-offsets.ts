import type { OffsetRequest, OffsetSpec } from '../../../engine/broker.js'
import {
  EARLIEST_LOCAL_TIMESTAMP,
  EARLIEST_TIMESTAMP,
  LATEST_TIERED_TIMESTAMP,
  LATEST_TIMESTAMP,
  type ListOffsetsPartitionResponse,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  MAX_TIMESTAMP,
} from '../apis/02-list-offsets.js'
import { LEADER_EPOCH } from '../apis/03-metadata.js'
import type { RequestContext } from '../context.js'
import { KafkaError } from '../errors.js'
import { lookUpPlanned, planPartitions, type Refusal } from './plan-partitions.js'

/** First versions that know the special timestamps. */
const MAX_TIMESTAMP_VERSION_MIN = 7
const EARLIEST_LOCAL_VERSION_MIN = 8
const LATEST_TIERED_VERSION_MIN = 9

export async function handleListOffsets(
  context: RequestContext,
  request: ListOffsetsRequest,
  version: number,
): Promise<ListOffsetsResponse> {
  const plan = await planPartitions(context, request.topics, (ref, { timestamp }): OffsetRequest | Refusal => {
    const spec = specOf(timestamp, version)
    if (spec === undefined) return { errorCode: KafkaError.UNSUPPORTED_VERSION }
    // Nothing is ever tiered away from the object store: "no such offset" is the whole answer.
    if (spec === 'none') return { errorCode: KafkaError.NONE }
    return { ...ref, spec }
  })
  const topics = await lookUpPlanned(context, plan, {
    ask: (refs) => context.broker.reader.listOffsets(refs),
    found: (partition, { offset, timestampMs }): ListOffsetsPartitionResponse => {
      const leaderEpoch = offset < 0 ? -1 : LEADER_EPOCH
      return { partition, errorCode: KafkaError.NONE, offset, timestampMs, leaderEpoch }
    },
    refused: (partition, { errorCode }) => ({ partition, errorCode, offset: -1, timestampMs: -1, leaderEpoch: -1 }),
  })
  return { topics }
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
