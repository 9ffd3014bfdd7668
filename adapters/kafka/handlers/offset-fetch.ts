import type { FetchedOffset } from '../../../engine/groups/group-coordinator.js'
import type { TopicId } from '../../../engine/model.js'
import type {
  OffsetFetchGroup,
  OffsetFetchGroupResponse,
  OffsetFetchPartitionResponse,
  OffsetFetchRequest,
  OffsetFetchResponse,
} from '../apis/09-offset-fetch.js'
import type { TopicPartitions } from '../apis/topic-partitions.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaErrorCode } from '../errors.js'
import { groupFailureOf, groupLookupErrorCode } from './group-failures.js'
import { answerPlan, planPartitions } from './plan-partitions.js'

/** First version that can say that a group as a whole failed. */
const GROUP_ERROR_VERSION_MIN = 2

export async function handleOffsetFetch(
  context: RequestContext,
  request: OffsetFetchRequest,
  version: number,
): Promise<OffsetFetchResponse> {
  const groups: OffsetFetchGroupResponse[] = []
  // One by one, and each group once: a request that names a thousand groups must not make a thousand lookups at once, nor
  // one that names the same group a thousand times an answer that large.
  const asked = new Map(request.groups.map((group) => [group.groupId, group]))
  for (const group of asked.values()) groups.push(await fetchGroup(context, group, version))
  return { groups }
}

async function fetchGroup(
  context: RequestContext,
  { groupId, topics }: OffsetFetchGroup,
  version: number,
): Promise<OffsetFetchGroupResponse> {
  try {
    const found = topics === null ? await fetchAll(context, groupId) : await fetchNamed(context, groupId, topics)
    return { groupId, errorCode: KafkaError.NONE, topics: found }
  } catch (error) {
    const { errorCode } = groupFailureOf(context, error)
    const failed = version < GROUP_ERROR_VERSION_MIN ? withError(topics ?? [], errorCode) : []
    return { groupId, errorCode, topics: failed }
  }
}

/** What the topic or group is not known to have is not committed, and no error: clients ask before they begin. */
async function fetchNamed(
  context: RequestContext,
  groupId: string,
  asked: readonly TopicPartitions<number>[],
): Promise<TopicPartitions<OffsetFetchPartitionResponse>[]> {
  const plan = await planPartitions(context, asked, (ref) => ref)
  const offsets = await context.broker.groups.fetchOffsets(groupId, plan.refs)
  return answerPlan(
    plan,
    (partition, refusal) => {
      const errorCode = groupLookupErrorCode(refusal)
      return uncommitted(partition, errorCode === KafkaError.UNKNOWN_TOPIC_OR_PARTITION ? KafkaError.NONE : errorCode)
    },
    (_partition, place) => describe(offsets[place]!),
  )
}

async function fetchAll(
  context: RequestContext,
  groupId: string,
): Promise<TopicPartitions<OffsetFetchPartitionResponse>[]> {
  const { groups, topics } = context.broker
  const offsets = await groups.fetchOffsets(groupId)
  const byTopic = new Map<TopicId, FetchedOffset[]>()
  for (const offset of offsets) {
    const ofTopic = byTopic.get(offset.topicId)
    if (ofTopic === undefined) byTopic.set(offset.topicId, [offset])
    else ofTopic.push(offset)
  }
  const found = await topics.byId([...byTopic.keys()])
  // A topic that was deleted has no name any more, and nothing to go on reading.
  return [...byTopic].flatMap(([topicId, ofTopic]) => {
    const topic = found.get(topicId)
    return topic === undefined ? [] : [{ name: topic.name, partitions: ofTopic.map(describe) }]
  })
}

function describe({ partition, offset, leaderEpoch, metadata }: FetchedOffset): OffsetFetchPartitionResponse {
  return { partition, errorCode: KafkaError.NONE, offset, leaderEpoch, metadata }
}

function uncommitted(partition: number, errorCode: KafkaErrorCode): OffsetFetchPartitionResponse {
  return { partition, errorCode, offset: -1, leaderEpoch: -1, metadata: '' }
}

function withError(
  topics: readonly TopicPartitions<number>[],
  errorCode: KafkaErrorCode,
): TopicPartitions<OffsetFetchPartitionResponse>[] {
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition) => uncommitted(partition, errorCode)),
  }))
}
