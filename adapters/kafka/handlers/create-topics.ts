import type { TopicSpec } from '../../../engine/broker.js'
import type { ReplicaAssignment, Topic } from '../../../engine/model.js'
import type {
  CreatableTopic,
  CreateTopicResponse,
  CreateTopicsRequest,
  CreateTopicsResponse,
  PartitionAssignment,
} from '../apis/19-create-topics.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaFailure, kafkaFailure } from '../errors.js'
import { ZERO_UUID } from '../wire/uuid.js'
import { topicConfigs } from './described-configs.js'
import { failureOf } from './resolve-topics.js'

/** -1: "you choose". */
const UNSET = -1
/** What Metadata shows too, where nobody assigned others: the leader alone. */
const REPLICATION_FACTOR = 1

export async function handleCreateTopics(
  context: RequestContext,
  request: CreateTopicsRequest,
): Promise<CreateTopicsResponse> {
  const counts = new Map<string, number>()
  for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1)
  const byName = new Map(request.topics.map((topic) => [topic.name, topic]))
  const topics: CreateTopicResponse[] = []
  // One by one: a request with thousands of topics must not start thousands of transactions.
  for (const [name, count] of counts) {
    const topic = byName.get(name)!
    topics.push(
      count > 1
        ? refuse(name, kafkaFailure(KafkaError.INVALID_REQUEST, `The request names topic ${name} ${count} times`))
        : await createTopic(context, topic, request.validateOnly),
    )
  }
  return { topics }
}

async function createTopic(
  context: RequestContext,
  topic: CreatableTopic,
  validateOnly: boolean,
): Promise<CreateTopicResponse> {
  const failure = refusalOf(topic)
  if (failure !== undefined) return refuse(topic.name, failure)
  try {
    const created = await context.broker.topics.create(specOf(topic), { validateOnly })
    return describe(context, created, validateOnly)
  } catch (error) {
    return refuse(topic.name, failureOf(context, error))
  }
}

/** What the topic directory does not see, because a topic here has no replicas to place. */
function refusalOf(topic: CreatableTopic): KafkaFailure | undefined {
  const { partitionCount, replicationFactor, assignments, configs } = topic
  if (assignments.length > 0) {
    if (partitionCount !== UNSET || replicationFactor !== UNSET) {
      return kafkaFailure(KafkaError.INVALID_REQUEST, 'Give either partition and replica counts or an assignment')
    }
    const partitions = assignments.map(({ partition }) => partition).sort((left, right) => left - right)
    if (partitions.some((partition, index) => partition !== index)) {
      return kafkaFailure(
        KafkaError.INVALID_REPLICA_ASSIGNMENT,
        'Assigned partitions must be 0, 1, 2, ... without gaps',
      )
    }
    const wrong = assignmentFailure(assignments.map(({ nodeIds }) => nodeIds))
    if (wrong !== undefined) return wrong
  } else if (replicationFactor !== UNSET && replicationFactor < 1) {
    return kafkaFailure(KafkaError.INVALID_REPLICATION_FACTOR, 'The replication factor must be -1 or at least 1')
  }
  const unset = configs.find(({ value }) => value === null)
  if (unset !== undefined) {
    return kafkaFailure(KafkaError.INVALID_CONFIG, `Config ${unset.name} needs a value`)
  }
  return undefined
}

/** Why nodes cannot be what somebody named for partitions. Whether they are there does not matter: they only show. */
export function assignmentFailure(assignment: ReplicaAssignment): KafkaFailure | undefined {
  if (assignment.some((nodeIds) => nodeIds.length === 0)) {
    return kafkaFailure(KafkaError.INVALID_REPLICA_ASSIGNMENT, 'Every assigned partition needs a node')
  }
  if (assignment.some((nodeIds) => new Set(nodeIds).size < nodeIds.length || nodeIds.some((nodeId) => nodeId < 0))) {
    return kafkaFailure(KafkaError.INVALID_REPLICA_ASSIGNMENT, 'Assigned nodes must be different, with ids from 0 on')
  }
  return undefined
}

/**
 * Replicas are the object store's affair: any replication factor is taken as fulfilled, and an assignment is kept and shown
 * while every agent goes on serving every partition.
 */
function specOf({ name, partitionCount, assignments, configs }: CreatableTopic): TopicSpec {
  const count = assignments.length > 0 ? assignments.length : partitionCount
  return {
    name,
    configs: Object.fromEntries(configs.map((config) => [config.name, config.value ?? ''])),
    ...(count === UNSET ? {} : { partitionCount: count }),
    ...(assignments.length === 0 ? {} : { assignment: nodesInOrder(assignments) }),
  }
}

function nodesInOrder(assignments: readonly PartitionAssignment[]): ReplicaAssignment {
  return assignments.toSorted((left, right) => left.partition - right.partition).map(({ nodeIds }) => nodeIds)
}

function describe(context: RequestContext, topic: Topic, validateOnly: boolean): CreateTopicResponse {
  return {
    name: topic.name,
    // A topic that was only validated has no id that means anything.
    topicId: validateOnly ? ZERO_UUID : topic.topicId,
    errorCode: KafkaError.NONE,
    errorMessage: null,
    partitionCount: topic.partitionCount,
    replicationFactor: topic.assignment?.[0]?.length ?? REPLICATION_FACTOR,
    configs: topicConfigs(context, topic.configs),
  }
}

function refuse(name: string, failure: KafkaFailure): CreateTopicResponse {
  return { name, topicId: ZERO_UUID, ...failure, partitionCount: UNSET, replicationFactor: UNSET, configs: null }
}
