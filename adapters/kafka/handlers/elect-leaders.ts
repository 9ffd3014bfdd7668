import type { ElectLeadersRequest, ElectLeadersResponse } from '../apis/43-elect-leaders.js'
import type { RequestContext } from '../context.js'
import { KafkaError, kafkaFailure } from '../errors.js'
import { partitionFailure, resolveNames } from './resolve-topics.js'

const notNeeded = kafkaFailure(
  KafkaError.ELECTION_NOT_NEEDED,
  'Every agent can lead every partition: there is nothing to elect',
)

/** Asked for all partitions, Kafka answers with those that needed an election: none. */
export async function handleElectLeaders(
  context: RequestContext,
  request: ElectLeadersRequest,
): Promise<ElectLeadersResponse> {
  const asked = request.topics ?? []
  const resolved = await resolveNames(
    context,
    asked.map(({ name }) => name),
  )
  const topics = asked.map(({ name, partitions }) => {
    const { topic, failure } = resolved.get(name)!
    return {
      name,
      partitions: partitions.map((partition) => ({
        partition,
        ...(failure ?? partitionFailure(context, topic, partition) ?? notNeeded),
      })),
    }
  })
  return { errorCode: KafkaError.NONE, topics }
}
