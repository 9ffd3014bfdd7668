import type { ClusterAgent } from '../../../engine/broker.js'
import { isHeadraceError } from '../../../engine/errors.js'
import type { Topic } from '../../../engine/model.js'
import type {
  MetadataBroker,
  MetadataRequest,
  MetadataResponse,
  MetadataTopic,
  MetadataTopicResponse,
} from '../apis/03-metadata.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaErrorCode, type KafkaFailure, kafkaFailure } from '../errors.js'
import { ZERO_UUID } from '../wire/uuid.js'
import { describePartitions } from './described-partitions.js'
import { failureOf, resolveIds, resolveNames } from './resolve-topics.js'

/** Lookup by id works from here on; versions 10 and 11 have the field, and Kafka refuses its use too. */
const LOOKUP_BY_ID_VERSION_MIN = 12
/** First version that can say that a request as a whole failed. */
const TOP_LEVEL_ERROR_VERSION_MIN = 13

export async function handleMetadata(
  context: RequestContext,
  request: MetadataRequest,
  version: number,
): Promise<MetadataResponse> {
  const { cluster } = context.broker
  await cluster.lookAround()
  const agents = cluster.agentsFor(context.client)
  let topics: MetadataTopicResponse[] = []
  let errorCode: KafkaErrorCode = KafkaError.NONE
  try {
    topics = request.topics === null ? await allTopics(context, agents) : await named(context, request, version, agents)
  } catch (error) {
    // Older versions cannot say it, and an empty list would say that there are no topics: better no answer at all.
    if (version < TOP_LEVEL_ERROR_VERSION_MIN || !isHeadraceError(error)) throw error
    errorCode = failureOf(context, error).errorCode
  }
  return {
    errorCode,
    brokers: brokersFor(context),
    clusterId: cluster.clusterId,
    controllerId: controllerOf(agents, cluster.nodeId),
    topics,
  }
}

export function brokersFor({ broker, client }: RequestContext): MetadataBroker[] {
  const nodes = broker.cluster.nodesFor(client)
  return nodes.map(({ nodeId, host, port, zone }) => ({ nodeId, host, port, rack: zone }))
}

/** Any agent can do admin work. The id must be among the brokers of the answer, and this agent need not be. */
export function controllerOf(agents: readonly ClusterAgent[], ownNodeId: number): number {
  return agents.some(({ nodeId }) => nodeId === ownNodeId) ? ownNodeId : agents[0]!.nodeId
}

async function allTopics(context: RequestContext, agents: readonly ClusterAgent[]): Promise<MetadataTopicResponse[]> {
  const topics = await context.broker.topics.list()
  return topics.map((topic) => describe(context, topic, agents))
}

async function named(
  context: RequestContext,
  request: MetadataRequest,
  version: number,
  agents: readonly ClusterAgent[],
): Promise<MetadataTopicResponse[]> {
  const asked = withoutRepeats(request.topics ?? [])
  const names = asked.flatMap(({ name }) => (name === null ? [] : [name]))
  const topicIds = asked.flatMap(({ name, topicId }) => (name === null ? [topicId] : []))
  const byName = await resolveNames(context, names, {
    create: request.allowAutoTopicCreation,
    fresh: true,
  })
  const byId =
    version >= LOOKUP_BY_ID_VERSION_MIN && topicIds.length > 0 ? await resolveIds(context, topicIds) : new Map()
  return asked.map((topic) => {
    const resolved = topic.name === null ? byId.get(topic.topicId) : byName.get(topic.name)
    if (resolved?.topic !== undefined) return describe(context, resolved.topic, agents)
    return refuse(topic, resolved?.failure ?? lookupByIdUnsupported)
  })
}

/** Each topic is described once, so that an answer is never larger than the cluster's topics. */
function withoutRepeats(topics: readonly MetadataTopic[]): MetadataTopic[] {
  return [...new Map(topics.map((topic) => [topic.name ?? `id ${topic.topicId}`, topic])).values()]
}

const lookupByIdUnsupported = kafkaFailure(
  KafkaError.INVALID_REQUEST,
  'Topics can be looked up by id from Metadata version 12 on',
)

function describe(context: RequestContext, topic: Topic, agents: readonly ClusterAgent[]): MetadataTopicResponse {
  const { topicId, name, partitionCount } = topic
  const partitions = describePartitions(context, topic, 0, partitionCount, agents)
  return { errorCode: KafkaError.NONE, name, topicId, partitions }
}

function refuse(topic: MetadataTopic, failure: KafkaFailure): MetadataTopicResponse {
  const topicId = topic.name === null ? topic.topicId : ZERO_UUID
  return { errorCode: failure.errorCode, name: topic.name, topicId, partitions: [] }
}
