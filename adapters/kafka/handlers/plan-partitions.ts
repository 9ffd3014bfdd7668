import { type HeadraceError, isHeadraceError } from '../../../engine/errors.js'
import type { PartitionRef, Topic } from '../../../engine/model.js'
import type { TopicPartitions } from '../apis/topic-partitions.js'
import type { RequestContext } from '../context.js'
import type { KafkaErrorCode } from '../errors.js'
import { failureOf, forgetUnknown, partitionFailure, type ResolveOptions, resolveNames } from './resolve-topics.js'

/** Requests name a partition by its number alone, or with what they want of it. */
type AskedPartition = number | { readonly partition: number }

/** What is answered for a partition without asking the engine; not an error where the code is NONE. */
export interface Refusal {
  readonly errorCode: KafkaErrorCode
  readonly errorMessage?: string
}

export type PlannedPartition =
  /** `place` is the partition's among those the engine is asked about, and so that of its result. */
  | { readonly partition: number; readonly place: number; readonly refusal?: never }
  | { readonly partition: number; readonly refusal: Refusal; readonly place?: never }

export interface PartitionPlan<Ref> {
  /** The partitions that the engine is to be asked about. */
  readonly refs: readonly Ref[]
  /** Topics and partitions as the request has them. */
  readonly topics: readonly TopicPartitions<PlannedPartition>[]
}

/** Refuses what is no partition of ours; of the others `refOf` says what to ask, or why not to. Never rejects. */
export async function planPartitions<Asked extends AskedPartition, Ref extends PartitionRef>(
  context: RequestContext,
  topics: readonly TopicPartitions<Asked>[],
  refOf: (ref: PartitionRef, asked: Asked, topic: Topic) => Ref | Refusal,
  options: ResolveOptions = {},
): Promise<PartitionPlan<Ref>> {
  const resolved = await resolveNames(
    context,
    topics.map(({ name }) => name),
    options,
  )
  const refs: Ref[] = []
  const planned = topics.map(({ name, partitions }) => {
    const { topic, failure } = resolved.get(name)!
    return {
      name,
      partitions: partitions.map((asked): PlannedPartition => {
        const partition = typeof asked === 'number' ? asked : asked.partition
        const refused = failure ?? partitionFailure(context, topic, partition)
        if (refused !== undefined) return { partition, refusal: refused }
        const ref = refOf({ topicId: topic!.topicId, partition }, asked, topic!)
        if ('errorCode' in ref) return { partition, refusal: ref }
        refs.push(ref)
        return { partition, place: refs.length - 1 }
      }),
    }
  })
  return { refs, topics: planned }
}

/** The request's topics, with an answer for each partition: by why it was refused, or by the place of its result. */
export function answerPlan<Answer>(
  { topics }: PartitionPlan<unknown>,
  refused: (partition: number, refusal: Refusal) => Answer,
  asked: (partition: number, place: number) => Answer,
): TopicPartitions<Answer>[] {
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partition, refusal, place }) =>
      refusal === undefined ? asked(partition, place) : refused(partition, refusal),
    ),
  }))
}

export interface Lookup<Ref, Result, Answer> {
  /** Results in the order of `refs`, which are never none. */
  readonly ask: (refs: readonly Ref[]) => Promise<readonly Result[]>
  readonly found: (partition: number, result: Exclude<Result, { readonly error: HeadraceError }>) => Answer
  readonly refused: (partition: number, refusal: Refusal) => Answer
}

/**
 * Asks the engine and answers the plan. One error for all is the error of each, and topics that the catalog does not know
 * any more are forgotten.
 */
export async function lookUpPlanned<
  Ref extends PartitionRef,
  Result extends { readonly error?: HeadraceError | undefined },
  Answer,
>(
  context: RequestContext,
  plan: PartitionPlan<Ref>,
  { ask, found, refused }: Lookup<Ref, Result, Answer>,
): Promise<TopicPartitions<Answer>[]> {
  const results = await resultsOf(context, plan.refs, ask)
  return answerPlan(plan, refused, (partition, place) => {
    const result = results[place]!
    if (result.error !== undefined) return refused(partition, failureOf(context, result.error))
    return found(partition, result as Exclude<Result, { readonly error: HeadraceError }>)
  })
}

async function resultsOf<Ref extends PartitionRef, Result extends { readonly error?: HeadraceError | undefined }>(
  context: RequestContext,
  refs: readonly Ref[],
  ask: (refs: readonly Ref[]) => Promise<readonly Result[]>,
): Promise<readonly (Result | { readonly error: HeadraceError })[]> {
  if (refs.length === 0) return []
  try {
    const results = await ask(refs)
    forgetUnknown(context, refs, results)
    return results
  } catch (error) {
    if (!isHeadraceError(error)) throw error
    return refs.map(() => ({ error }))
  }
}
