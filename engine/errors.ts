/**
 * What can go wrong in the world around the engine, chosen by what the caller should do about it.
 *
 * Three failures, three mechanisms: an assertion is our own bug and stops the process; `HeadraceError` is the world;
 * `FormatError` (in `format/`) is bad bytes and is never retried blindly.
 */
export type HeadraceErrorCode =
  // object store
  | 'OBJECT_NOT_FOUND'
  | 'OBJECT_EXISTS'
  | 'OBJECT_RANGE_INVALID'
  | 'OBJECT_STORE_THROTTLED'
  | 'OBJECT_STORE_TIMEOUT'
  | 'OBJECT_STORE_UNAVAILABLE'
  | 'OBJECT_STORE_DENIED'
  // catalog
  | 'CATALOG_UNAVAILABLE'
  | 'CATALOG_CONFLICT'
  | 'CATALOG_OUTCOME_UNKNOWN'
  | 'CATALOG_SCHEMA_MISMATCH'
  | 'SEGMENT_TOO_OLD'
  | 'AGENT_EXPIRED'
  // topics and records
  | 'TOPIC_EXISTS'
  | 'TOPIC_UNKNOWN'
  | 'PARTITION_UNKNOWN'
  | 'TOPIC_NAME_INVALID'
  | 'PARTITION_COUNT_INVALID'
  | 'OFFSET_OUT_OF_RANGE'
  | 'BATCH_TOO_LARGE'
  | 'BATCH_CORRUPT'
  | 'BATCH_INVALID'
  | 'BATCH_COMPRESSION_UNSUPPORTED'
  | 'BATCH_TIMESTAMP_INVALID'
  | 'PRODUCER_EPOCH_FENCED'
  | 'SEQUENCE_DUPLICATE'
  | 'SEQUENCE_GAP'
  // consumer groups
  | 'GROUP_ID_INVALID'
  | 'GROUP_UNKNOWN'
  | 'GROUP_NOT_EMPTY'
  | 'GROUP_SUBSCRIBED'
  | 'GROUP_FULL'
  | 'NOT_COORDINATOR'
  | 'COORDINATOR_UNAVAILABLE'
  | 'MEMBER_UNKNOWN'
  | 'MEMBER_FENCED'
  | 'GENERATION_ILLEGAL'
  | 'REBALANCE_IN_PROGRESS'
  | 'PROTOCOL_INCONSISTENT'
  | 'SESSION_TIMEOUT_INVALID'
  | 'OFFSET_METADATA_TOO_LARGE'
  // the agent itself
  | 'AGENT_CLOSING'
  | 'ROLE_MISSING'
  | 'CONFIG_INVALID'
  | 'WORKER_FAILED'

/**
 * What a caller may do with a failed operation: `safe`: it surely had no effect, repeat it; `unknown`: it may have had
 * its effect, repeat it only where it is idempotent; `never`: repeating cannot help.
 */
export type Retry = 'safe' | 'unknown' | 'never'

export class HeadraceError extends Error {
  override readonly name = 'HeadraceError'

  constructor(
    readonly code: HeadraceErrorCode,
    readonly retry: Retry,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options)
  }
}

export function isHeadraceError(error: unknown, code?: HeadraceErrorCode): error is HeadraceError {
  return error instanceof HeadraceError && (code === undefined || error.code === code)
}
