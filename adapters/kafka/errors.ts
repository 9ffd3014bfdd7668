import { type HeadraceErrorCode, isHeadraceError } from '../../engine/errors.js'

/** Kafka's error codes, as far as we answer with them. */
export const KafkaError = {
  UNKNOWN_SERVER_ERROR: -1,
  NONE: 0,
  OFFSET_OUT_OF_RANGE: 1,
  CORRUPT_MESSAGE: 2,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  NOT_LEADER_OR_FOLLOWER: 6,
  REQUEST_TIMED_OUT: 7,
  MESSAGE_TOO_LARGE: 10,
  OFFSET_METADATA_TOO_LARGE: 12,
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR: 16,
  INVALID_TOPIC_EXCEPTION: 17,
  INVALID_REQUIRED_ACKS: 21,
  ILLEGAL_GENERATION: 22,
  INCONSISTENT_GROUP_PROTOCOL: 23,
  INVALID_GROUP_ID: 24,
  UNKNOWN_MEMBER_ID: 25,
  INVALID_SESSION_TIMEOUT: 26,
  REBALANCE_IN_PROGRESS: 27,
  INVALID_TIMESTAMP: 32,
  UNSUPPORTED_VERSION: 35,
  TOPIC_ALREADY_EXISTS: 36,
  INVALID_PARTITIONS: 37,
  INVALID_REPLICATION_FACTOR: 38,
  INVALID_REPLICA_ASSIGNMENT: 39,
  INVALID_CONFIG: 40,
  INVALID_REQUEST: 42,
  POLICY_VIOLATION: 44,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  DUPLICATE_SEQUENCE_NUMBER: 46,
  INVALID_PRODUCER_EPOCH: 47,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 53,
  KAFKA_STORAGE_ERROR: 56,
  NON_EMPTY_GROUP: 68,
  GROUP_ID_NOT_FOUND: 69,
  FETCH_SESSION_ID_NOT_FOUND: 70,
  UNSUPPORTED_COMPRESSION_TYPE: 76,
  MEMBER_ID_REQUIRED: 79,
  GROUP_MAX_SIZE_REACHED: 81,
  FENCED_INSTANCE_ID: 82,
  ELECTION_NOT_NEEDED: 84,
  NO_REASSIGNMENT_IN_PROGRESS: 85,
  GROUP_SUBSCRIBED_TO_TOPIC: 86,
  INVALID_RECORD: 87,
  UNKNOWN_TOPIC_ID: 100,
  TRANSACTIONAL_ID_NOT_FOUND: 105,
  MISMATCHED_ENDPOINT_TYPE: 114,
  UNSUPPORTED_ENDPOINT_TYPE: 115,
} as const

export type KafkaErrorCode = (typeof KafkaError)[keyof typeof KafkaError]

/**
 * The one place where our errors become Kafka's. Chosen by what clients do with the code (retry, refresh, give up):
 *
 * - What surely had no effect is KAFKA_STORAGE_ERROR: every client refreshes its metadata and retries, and none counts
 *   the records as perhaps written. That holds for every failed upload: without the commit there is no record.
 * - What may have had its effect is REQUEST_TIMED_OUT, after which only idempotent producers retry safely.
 * - An agent that goes away is NOT_LEADER_OR_FOLLOWER: clients come back to another one, also for Fetch and ListOffsets.
 */
const KAFKA_ERROR_OF: Readonly<Record<HeadraceErrorCode, KafkaErrorCode>> = {
  OBJECT_NOT_FOUND: KafkaError.KAFKA_STORAGE_ERROR,
  OBJECT_EXISTS: KafkaError.KAFKA_STORAGE_ERROR,
  OBJECT_RANGE_INVALID: KafkaError.KAFKA_STORAGE_ERROR,
  OBJECT_STORE_THROTTLED: KafkaError.KAFKA_STORAGE_ERROR,
  OBJECT_STORE_TIMEOUT: KafkaError.KAFKA_STORAGE_ERROR,
  OBJECT_STORE_UNAVAILABLE: KafkaError.KAFKA_STORAGE_ERROR,
  OBJECT_STORE_DENIED: KafkaError.KAFKA_STORAGE_ERROR,
  CATALOG_UNAVAILABLE: KafkaError.KAFKA_STORAGE_ERROR,
  CATALOG_CONFLICT: KafkaError.KAFKA_STORAGE_ERROR,
  CATALOG_OUTCOME_UNKNOWN: KafkaError.REQUEST_TIMED_OUT,
  CATALOG_SCHEMA_MISMATCH: KafkaError.KAFKA_STORAGE_ERROR,
  SEGMENT_TOO_OLD: KafkaError.KAFKA_STORAGE_ERROR,
  AGENT_EXPIRED: KafkaError.NOT_LEADER_OR_FOLLOWER,
  TOPIC_EXISTS: KafkaError.TOPIC_ALREADY_EXISTS,
  TOPIC_UNKNOWN: KafkaError.UNKNOWN_TOPIC_OR_PARTITION,
  PARTITION_UNKNOWN: KafkaError.UNKNOWN_TOPIC_OR_PARTITION,
  TOPIC_NAME_INVALID: KafkaError.INVALID_TOPIC_EXCEPTION,
  PARTITION_COUNT_INVALID: KafkaError.INVALID_PARTITIONS,
  OFFSET_OUT_OF_RANGE: KafkaError.OFFSET_OUT_OF_RANGE,
  BATCH_TOO_LARGE: KafkaError.MESSAGE_TOO_LARGE,
  BATCH_CORRUPT: KafkaError.CORRUPT_MESSAGE,
  BATCH_INVALID: KafkaError.INVALID_RECORD,
  BATCH_COMPRESSION_UNSUPPORTED: KafkaError.UNSUPPORTED_COMPRESSION_TYPE,
  BATCH_TIMESTAMP_INVALID: KafkaError.INVALID_TIMESTAMP,
  PRODUCER_EPOCH_FENCED: KafkaError.INVALID_PRODUCER_EPOCH,
  // Kafka answers 45 to a repeat that is too old to know; 46 means the same and clients take it as success.
  SEQUENCE_DUPLICATE: KafkaError.DUPLICATE_SEQUENCE_NUMBER,
  SEQUENCE_GAP: KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
  GROUP_ID_INVALID: KafkaError.INVALID_GROUP_ID,
  GROUP_UNKNOWN: KafkaError.GROUP_ID_NOT_FOUND,
  GROUP_NOT_EMPTY: KafkaError.NON_EMPTY_GROUP,
  GROUP_SUBSCRIBED: KafkaError.GROUP_SUBSCRIBED_TO_TOPIC,
  GROUP_FULL: KafkaError.GROUP_MAX_SIZE_REACHED,
  NOT_COORDINATOR: KafkaError.NOT_COORDINATOR,
  COORDINATOR_UNAVAILABLE: KafkaError.COORDINATOR_NOT_AVAILABLE,
  MEMBER_UNKNOWN: KafkaError.UNKNOWN_MEMBER_ID,
  MEMBER_FENCED: KafkaError.FENCED_INSTANCE_ID,
  GENERATION_ILLEGAL: KafkaError.ILLEGAL_GENERATION,
  REBALANCE_IN_PROGRESS: KafkaError.REBALANCE_IN_PROGRESS,
  PROTOCOL_INCONSISTENT: KafkaError.INCONSISTENT_GROUP_PROTOCOL,
  SESSION_TIMEOUT_INVALID: KafkaError.INVALID_SESSION_TIMEOUT,
  OFFSET_METADATA_TOO_LARGE: KafkaError.OFFSET_METADATA_TOO_LARGE,
  AGENT_CLOSING: KafkaError.NOT_LEADER_OR_FOLLOWER,
  ROLE_MISSING: KafkaError.NOT_LEADER_OR_FOLLOWER,
  CONFIG_INVALID: KafkaError.INVALID_CONFIG,
  WORKER_FAILED: KafkaError.KAFKA_STORAGE_ERROR,
}

/** Why a topic or partition of a request was not served, in Kafka's terms. */
export interface KafkaFailure {
  readonly errorCode: KafkaErrorCode
  readonly errorMessage: string
}

/** What is not a `HeadraceError` is a fault of ours: UNKNOWN_SERVER_ERROR, and its text stays in the log. */
export function kafkaFailureOf(error: unknown): KafkaFailure {
  if (isHeadraceError(error)) return kafkaFailure(KAFKA_ERROR_OF[error.code], error.message)
  return kafkaFailure(KafkaError.UNKNOWN_SERVER_ERROR, 'The agent failed unexpectedly; its log says why')
}

export function kafkaFailure(errorCode: KafkaErrorCode, errorMessage: string): KafkaFailure {
  return { errorCode, errorMessage: errorMessage.slice(0, ERROR_MESSAGE_CHARS_MAX) }
}

/** Texts quote what clients sent; the wire's strings end at 32767 bytes. */
const ERROR_MESSAGE_CHARS_MAX = 1000
