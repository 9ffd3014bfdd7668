import { type HeadraceErrorCode, isHeadraceError } from '../../../engine/errors.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaErrorCode, type KafkaFailure, kafkaFailure } from '../errors.js'
import type { Refusal } from './plan-partitions.js'
import { failureOf } from './resolve-topics.js'

/**
 * The error in the terms of the group APIs. Consumers look for their coordinator again after two codes only, and take the
 * codes that make a producer retry as fatal: a catalog that is away for a moment must not end them.
 */
export function groupFailureOf(context: RequestContext, error: unknown): KafkaFailure {
  const errorCode = isHeadraceError(error) ? TRANSIENT[error.code] : undefined
  return errorCode === undefined ? failureOf(context, error) : kafkaFailure(errorCode, (error as Error).message)
}

const TRANSIENT: Readonly<Partial<Record<HeadraceErrorCode, KafkaErrorCode>>> = {
  CATALOG_UNAVAILABLE: KafkaError.COORDINATOR_NOT_AVAILABLE,
  CATALOG_CONFLICT: KafkaError.COORDINATOR_NOT_AVAILABLE,
  CATALOG_OUTCOME_UNKNOWN: KafkaError.COORDINATOR_NOT_AVAILABLE,
  AGENT_EXPIRED: KafkaError.NOT_COORDINATOR,
  AGENT_CLOSING: KafkaError.NOT_COORDINATOR,
}

/** The code of a member's or partition's own result. */
export function groupErrorCode(context: RequestContext, error: unknown): KafkaErrorCode {
  return error === undefined ? KafkaError.NONE : groupFailureOf(context, error).errorCode
}

/** What group APIs know of the ways a lookup of topics can fail. */
export function groupLookupErrorCode({ errorCode }: Refusal): KafkaErrorCode {
  switch (errorCode) {
    case KafkaError.INVALID_TOPIC_EXCEPTION:
      return KafkaError.UNKNOWN_TOPIC_OR_PARTITION
    case KafkaError.KAFKA_STORAGE_ERROR:
    case KafkaError.REQUEST_TIMED_OUT:
    case KafkaError.NOT_LEADER_OR_FOLLOWER:
      return KafkaError.COORDINATOR_NOT_AVAILABLE
    default:
      return errorCode
  }
}
