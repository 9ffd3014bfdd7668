import { HeadraceError, type HeadraceErrorCode, isHeadraceError, type Retry } from '../../engine/errors.js'
import type { Catalog, TopicConfigs } from '../../engine/ports/catalog.js'

/** What passes between an agent's main thread and its catalog's: data only, nothing with a class. */

/** The methods of the port, which a thread can call by name. */
export const CATALOG_METHODS = [
  'migrate',
  'clusterId',
  'createTopic',
  'deleteTopic',
  'updateTopicConfigs',
  'addPartitions',
  'topicsByName',
  'topicsById',
  'listTopics',
  'allocateProducerIds',
  'expireProducers',
  'commit',
  'partitionOffsets',
  'findExtents',
  'findExtentsByTimestamp',
  'findExtentsByMaxTimestamp',
  'advanceLogStarts',
  'partitionSizes',
  'listProducers',
  'registerAgent',
  'heartbeat',
  'unregisterAgent',
  'listAgents',
  'ping',
  'close',
  'claimGroup',
  'saveGroup',
  'commitGroupOffsets',
  'readGroupOffsets',
  'deleteGroupOffsets',
  'deleteGroup',
  'listGroups',
  'expireGroups',
  'expireGroupOffsets',
  'databaseTimeMs',
  'acquireLease',
  'renewLease',
  'releaseLease',
  'noteLease',
  'oldestExtents',
  'removeExtents',
  'deletedTopics',
  'clearDeletedTopic',
  'liveSegments',
  'extentsOfSegments',
  'swapSegments',
  'deadSegments',
  'markObjectsDeleted',
  'forgetSegments',
  'orphansAmong',
  'newestSegmentId',
  'segmentTotals',
  'liveUseOf',
] as const satisfies readonly (keyof Catalog)[]

export type CatalogMethod = (typeof CATALOG_METHODS)[number]

type Forgotten = Exclude<keyof Catalog, CatalogMethod | 'location'>
/** Does not compile when the port has a method that is not in the list. */
export const NO_METHOD_IS_FORGOTTEN: [Forgotten] extends [never] ? true : Forgotten = true

/** To the catalog's thread. */
export type CatalogRequest =
  | { readonly kind: 'call'; readonly call: number; readonly method: CatalogMethod; readonly args: readonly unknown[] }
  /** What became of the configs that a call asked about; undefined when that failed, which ends the call. */
  | { readonly kind: 'configs'; readonly call: number; readonly configs: TopicConfigs | undefined }

/** From it. */
export type CatalogReply =
  | { readonly kind: 'value'; readonly call: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly call: number; readonly error: ErrorData }
  /** A call of `updateTopicConfigs` holds the topic's lock and asks what is to become of its configs. */
  | { readonly kind: 'configs'; readonly call: number; readonly configs: TopicConfigs }

/** An error on its way: classes and their fields do not survive a change of threads. */
export interface ErrorData {
  /** Of a HeadraceError; of any other error, which is a bug, undefined. */
  readonly known: { readonly code: HeadraceErrorCode; readonly retry: Retry } | undefined
  readonly message: string
  readonly stack: string | undefined
  readonly cause: ErrorData | undefined
}

export function errorData(error: unknown): ErrorData {
  if (!(error instanceof Error)) {
    return { known: undefined, message: String(error), stack: undefined, cause: undefined }
  }
  return {
    known: isHeadraceError(error) ? { code: error.code, retry: error.retry } : undefined,
    message: error.message,
    stack: error.stack,
    cause: error.cause === undefined ? undefined : errorData(error.cause),
  }
}

export function errorFrom({ known, message, stack, cause }: ErrorData): Error {
  const options = cause === undefined ? {} : { cause: errorFrom(cause) }
  const error =
    known === undefined ? new Error(message, options) : new HeadraceError(known.code, known.retry, message, options)
  if (stack !== undefined) error.stack = stack
  return error
}
