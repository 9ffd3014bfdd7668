import type {
  DeletableTopic,
  DeleteTopicResponse,
  DeleteTopicsRequest,
  DeleteTopicsResponse,
} from '../apis/20-delete-topics.js'
import type { RequestContext } from '../context.js'
import { KafkaError, kafkaFailure } from '../errors.js'
import { ZERO_UUID } from '../wire/uuid.js'
import { failureOf, type Resolved, resolveIds, resolveNames } from './resolve-topics.js'

export async function handleDeleteTopics(
  context: RequestContext,
  request: DeleteTopicsRequest,
): Promise<DeleteTopicsResponse> {
  const names = request.topics.flatMap(({ name }) => (name === null ? [] : [name]))
  const topicIds = request.topics.flatMap(({ name, topicId }) => (name === null ? [topicId] : []))
  const byName = await resolveNames(context, names, { fresh: true })
  const byId = await resolveIds(context, topicIds)
  const topics: DeleteTopicResponse[] = []
  for (const asked of request.topics) {
    const resolved = namesOneThing(asked)
      ? (asked.name === null ? byId.get(asked.topicId) : byName.get(asked.name))!
      : { failure: kafkaFailure(KafkaError.INVALID_REQUEST, 'A topic must be given by its name or its id, not both') }
    topics.push(await deleteTopic(context, asked, resolved))
  }
  return { topics }
}

function namesOneThing({ name, topicId }: DeletableTopic): boolean {
  return (name === null) !== (topicId === ZERO_UUID)
}

async function deleteTopic(
  context: RequestContext,
  asked: DeletableTopic,
  { topic, failure }: Resolved,
): Promise<DeleteTopicResponse> {
  if (failure !== undefined) return { ...asked, ...failure }
  const { name, topicId } = topic
  try {
    await context.broker.topics.delete(topicId)
    return { name, topicId, errorCode: KafkaError.NONE, errorMessage: null }
  } catch (error) {
    return { name, topicId, ...failureOf(context, error) }
  }
}
