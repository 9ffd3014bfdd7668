import type { Topic } from '../../../engine/model.js'
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
  CreatePartitionsResult,
  CreatePartitionsTopic,
} from '../apis/37-create-partitions.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaFailure, kafkaFailure } from '../errors.js'
import { assignmentFailure } from './create-topics.js'
import { failureOf, resolveNames } from './resolve-topics.js'

export async function handleCreatePartitions(
  context: RequestContext,
  request: CreatePartitionsRequest,
): Promise<CreatePartitionsResponse> {
  const counts = new Map<string, number>()
  for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1)
  const byName = new Map(request.topics.map((topic) => [topic.name, topic]))
  const resolved = await resolveNames(context, [...counts.keys()], { fresh: true })
  const topics: CreatePartitionsResult[] = []
  // One by one: a request with thousands of topics must not start thousands of transactions.
  for (const [name, count] of counts) {
    const { topic, failure } = resolved.get(name)!
    const repeated = kafkaFailure(KafkaError.INVALID_REQUEST, `The request names topic ${name} ${count} times`)
    const refused =
      count > 1 ? repeated : (failure ?? (await grow(context, topic, byName.get(name)!, request.validateOnly)))
    topics.push({ name, ...(refused ?? { errorCode: KafkaError.NONE, errorMessage: null }) })
  }
  return { topics }
}

async function grow(
  context: RequestContext,
  topic: Topic,
  { partitionCount, assignments }: CreatePartitionsTopic,
  validateOnly: boolean,
): Promise<KafkaFailure | undefined> {
  const added = partitionCount - topic.partitionCount
  if (added > 0 && assignments !== null && assignments.length !== added) {
    const text = `An assignment must give nodes for each of the ${added} new partitions`
    return kafkaFailure(KafkaError.INVALID_REPLICA_ASSIGNMENT, text)
  }
  const wrong = added > 0 && assignments !== null ? assignmentFailure(assignments) : undefined
  if (wrong !== undefined) return wrong
  const assigned = assignments === null ? {} : { assignment: assignments }
  try {
    await context.broker.topics.addPartitions(topic.topicId, partitionCount, { validateOnly, ...assigned })
    return undefined
  } catch (error) {
    return failureOf(context, error)
  }
}
