import type { FetchPartition as EngineFetchPartition, FetchResult } from '../../../engine/broker.js'
import { HeadraceError, isHeadraceError } from '../../../engine/errors.js'
import type { FetchPartitionResponse, FetchRequest, FetchResponse, FetchTopic } from '../apis/01-fetch.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaFailure } from '../errors.js'
import {
  failureOf,
  forgetUnknown,
  partitionFailure,
  type Resolved,
  resolveIds,
  resolveNames,
} from './resolve-topics.js'

/** First version that names topics by id. */
const TOPIC_ID_VERSION_MIN = 13

export async function handleFetch(
  context: RequestContext,
  request: FetchRequest,
  version: number,
): Promise<FetchResponse> {
  const { isolationLevel } = request
  if (request.sessionEpoch > 0) {
    // A client that goes on with a session nobody gave it; it starts over with a full request.
    return { errorCode: KafkaError.FETCH_SESSION_ID_NOT_FOUND, isolationLevel, topics: [] }
  }
  const resolve = await resolver(context, request.topics, version)
  const reads: EngineFetchPartition[] = []
  let refusedCount = 0
  const plan = request.topics.map((topic) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.map(({ partition, fetchOffset, bytesMax }): Planned => {
      const { topic: found, failure } = resolve(topic)
      const refused = failure ?? partitionFailure(context, found, partition)
      if (refused !== undefined) {
        refusedCount += 1
        return { partition, failure: refused }
      }
      reads.push({ topicId: found!.topicId, partition, offset: fetchOffset, bytesMax: Math.max(0, bytesMax) })
      return { partition, read: reads.length - 1 }
    }),
  }))
  // An error is news for the client: it must not wait for records of the other partitions.
  const results = await read(context, request, reads, refusedCount > 0 ? 0 : request.waitMaxMs)
  const topics = plan.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map((planned) => answer(context, planned, results)),
  }))
  return { errorCode: KafkaError.NONE, isolationLevel, topics }
}

type Planned =
  | { readonly partition: number; readonly read: number; readonly failure?: never }
  | { readonly partition: number; readonly failure: KafkaFailure; readonly read?: never }

async function resolver(
  context: RequestContext,
  topics: readonly FetchTopic[],
  version: number,
): Promise<(topic: FetchTopic) => Resolved> {
  if (version >= TOPIC_ID_VERSION_MIN) {
    const byId = await resolveIds(
      context,
      topics.map(({ topicId }) => topicId),
    )
    return ({ topicId }) => byId.get(topicId)!
  }
  const byName = await resolveNames(
    context,
    topics.map(({ name }) => name),
  )
  return ({ name }) => byName.get(name)!
}

async function read(
  context: RequestContext,
  request: FetchRequest,
  partitions: readonly EngineFetchPartition[],
  waitMaxMs: number,
): Promise<readonly FetchResult[]> {
  if (partitions.length === 0) return []
  try {
    const results = await context.broker.reader.fetch({
      waitMaxMs: Math.max(0, waitMaxMs),
      bytesMin: Math.max(0, request.bytesMin),
      bytesMax: Math.min(Math.max(0, request.bytesMax), context.settings.fetchBytesMax),
      partitions,
      turns: context.fetchTurns,
      signal: context.signal,
      whenSent: context.whenSent,
    })
    forgetUnknown(context, partitions, results)
    return results
  } catch (cause) {
    const error = context.signal.aborted ? connectionClosing(cause) : cause
    if (!isHeadraceError(error)) throw error
    return partitions.map(() => ({ error, highWatermark: -1, logStartOffset: -1, chunks: [], bytes: 0 }))
  }
}

function connectionClosing(cause: unknown): HeadraceError {
  return new HeadraceError('AGENT_CLOSING', 'safe', 'The connection is closing; read again on another', { cause })
}

function answer(context: RequestContext, planned: Planned, results: readonly FetchResult[]): FetchPartitionResponse {
  const { partition } = planned
  if (planned.failure !== undefined) {
    const { errorCode } = planned.failure
    return { partition, errorCode, highWatermark: -1, logStartOffset: -1, chunks: [], bytes: 0 }
  }
  const { error, highWatermark, logStartOffset, chunks, bytes } = results[planned.read]!
  const errorCode = error === undefined ? KafkaError.NONE : failureOf(context, error).errorCode
  return { partition, errorCode, highWatermark, logStartOffset, chunks, bytes }
}
