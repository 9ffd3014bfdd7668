import { HeadraceError } from '../errors.js'
import type { PartitionRef } from '../model.js'
import type { OffsetToCommit } from './group-coordinator.js'

/** Kafka's default of offset.metadata.max.bytes. */
const METADATA_BYTES_MAX = 4096
/** Below this many characters no text can be longer in UTF-8. */
const METADATA_CHARS_SURE = METADATA_BYTES_MAX / 3

const encoder = new TextEncoder()

/** Why an offset may not be committed, whatever its partition. */
export function checkOffset({ metadata }: OffsetToCommit): HeadraceError | undefined {
  if (metadata.length <= METADATA_CHARS_SURE) return undefined
  const bytes = encoder.encode(metadata).byteLength
  if (bytes <= METADATA_BYTES_MAX) return undefined
  return new HeadraceError(
    'OFFSET_METADATA_TOO_LARGE',
    'never',
    `the metadata beside an offset has ${bytes} bytes; ${METADATA_BYTES_MAX} are allowed`,
  )
}

export function partitionMissing(ref: PartitionRef | undefined): HeadraceError {
  return new HeadraceError(
    'PARTITION_UNKNOWN',
    'never',
    `topic ${ref?.topicId} has no partition ${ref?.partition}; it may have been deleted`,
  )
}
