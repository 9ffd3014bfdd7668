import type { PartitionRef, Topic } from '../../../engine/model.js'
import type {
  DescribeLogDirsRequest,
  DescribeLogDirsResponse,
  LogDirectoryPartition,
} from '../apis/35-describe-log-dirs.js'
import type { TopicPartitions } from '../apis/topic-partitions.js'
import type { RequestContext } from '../context.js'
import { KafkaError } from '../errors.js'
import { failureOf, resolveNames } from './resolve-topics.js'

/**
 * Sizes of the partitions that this agent leads in the eyes of the client. Tools ask every broker and add up, so each partition
 * must be in one answer only. What does not exist is left out, as in Kafka.
 */
export async function handleDescribeLogDirs(
  context: RequestContext,
  request: DescribeLogDirsRequest,
): Promise<DescribeLogDirsResponse> {
  try {
    const asked = request.topics === null ? await allTopics(context) : await namedTopics(context, request.topics)
    const led = asked.map(({ topic, partitions }) => ({ topic, partitions: ledHere(context, topic, partitions) }))
    const topics = await withSizes(context, led)
    const name = context.settings.logDirectory
    return { errorCode: KafkaError.NONE, directories: [{ errorCode: KafkaError.NONE, name, topics }] }
  } catch (error) {
    return { errorCode: failureOf(context, error).errorCode, directories: [] }
  }
}

interface AskedTopic {
  readonly topic: Topic
  readonly partitions: readonly number[]
}

async function allTopics(context: RequestContext): Promise<AskedTopic[]> {
  const topics = await context.broker.topics.list()
  return topics.map((topic) => ({
    topic,
    partitions: Array.from({ length: topic.partitionCount }, (_, index) => index),
  }))
}

async function namedTopics(context: RequestContext, asked: readonly TopicPartitions<number>[]): Promise<AskedTopic[]> {
  const resolved = await resolveNames(
    context,
    asked.map(({ name }) => name),
    { fresh: true },
  )
  return asked.flatMap(({ name, partitions }) => {
    const topic = resolved.get(name)?.topic
    if (topic === undefined) return []
    const there = [...new Set(partitions)].filter((partition) => partition >= 0 && partition < topic.partitionCount)
    return [{ topic, partitions: there }]
  })
}

function ledHere({ broker, client }: RequestContext, { topicId }: Topic, partitions: readonly number[]): number[] {
  const { cluster } = broker
  const agents = cluster.agentsFor(client)
  // An agent that the client is not shown, because it is in another zone, leads nothing.
  return partitions.filter(
    (partition) => cluster.leaderOf({ topicId, partition }, agents, client).nodeId === cluster.nodeId,
  )
}

async function withSizes(
  context: RequestContext,
  topics: readonly AskedTopic[],
): Promise<TopicPartitions<LogDirectoryPartition>[]> {
  const refs = topics.flatMap(({ topic: { topicId }, partitions }) =>
    partitions.map((partition): PartitionRef => ({ topicId, partition })),
  )
  const sizes = await context.broker.logs.sizes(refs)
  let next = 0
  return topics
    .map(({ topic, partitions }) => ({
      name: topic.name,
      partitions: partitions.flatMap((partition) => {
        const bytes = sizes[next++]
        return bytes === undefined ? [] : [{ partition, bytes }]
      }),
    }))
    .filter(({ partitions }) => partitions.length > 0)
}
