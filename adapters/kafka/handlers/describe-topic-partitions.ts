import type { Topic } from '../../../engine/model.js'
import type {
  DescribedTopic,
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
  TopicPartitionCursor,
} from '../apis/75-describe-topic-partitions.js'
import type { RequestContext } from '../context.js'
import { KafkaError } from '../errors.js'
import { ZERO_UUID } from '../wire/uuid.js'
import { describePartitions } from './described-partitions.js'
import { type Resolved, resolveNames } from './resolve-topics.js'

/** Kafka's limit on its own answers, whatever the client asks for. */
const PARTITION_COUNT_MAX = 2000

/**
 * Topics page by page, in the order of their names, all of them where none is named. A page is full when it holds as many
 * partitions as the client takes; its cursor names the partition at which the next one begins.
 */
export async function handleDescribeTopicPartitions(
  context: RequestContext,
  request: DescribeTopicPartitionsRequest,
): Promise<DescribeTopicPartitionsResponse> {
  const { cursor } = request
  const resolved = await topicsAsked(context, request.topics)
  const names = [...resolved.keys()].filter((name) => cursor === null || name >= cursor.topic).sort()
  const agents = context.broker.cluster.agentsFor(context.client)
  let countLeft = Math.max(1, Math.min(request.partitionCountMax, PARTITION_COUNT_MAX))
  const topics: DescribedTopic[] = []
  for (const name of names) {
    const { topic, failure } = resolved.get(name)!
    if (topic === undefined) {
      topics.push({ name, topicId: ZERO_UUID, errorCode: failure.errorCode, partitions: [] })
      continue
    }
    const first = firstPartition(topic, cursor)
    if (countLeft === 0) return { topics, nextCursor: { topic: name, partition: first } }
    const count = Math.max(0, Math.min(countLeft, topic.partitionCount - first))
    const partitions = describePartitions(context, topic, first, first + count, agents)
    topics.push({ errorCode: KafkaError.NONE, name, topicId: topic.topicId, partitions })
    countLeft -= count
    const end = first + count
    if (end < topic.partitionCount) return { topics, nextCursor: { topic: name, partition: end } }
  }
  return { topics, nextCursor: null }
}

async function topicsAsked(context: RequestContext, names: readonly string[]): Promise<ReadonlyMap<string, Resolved>> {
  if (names.length > 0) return resolveNames(context, names, { fresh: true })
  const topics = await context.broker.topics.list()
  return new Map(topics.map((topic) => [topic.name, { topic }]))
}

function firstPartition(topic: Topic, cursor: TopicPartitionCursor | null): number {
  return cursor?.topic === topic.name ? Math.max(0, cursor.partition) : 0
}
