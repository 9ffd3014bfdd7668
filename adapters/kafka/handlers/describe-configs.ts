import type {
  DescribableResource,
  DescribeConfigsRequest,
  DescribeConfigsResponse,
  DescribedConfig,
  DescribedResource,
} from '../apis/32-describe-configs.js'
import { RESOURCE_BROKER, RESOURCE_TOPIC } from '../apis/config-resource.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaFailure, kafkaFailure } from '../errors.js'
import { brokerConfigs, topicConfigs } from './described-configs.js'
import { type Resolved, resolveNames } from './resolve-topics.js'

export async function handleDescribeConfigs(
  context: RequestContext,
  request: DescribeConfigsRequest,
): Promise<DescribeConfigsResponse> {
  const names = request.resources.flatMap(({ type, name }) => (type === RESOURCE_TOPIC ? [name] : []))
  const topics = await resolveNames(context, names, { fresh: true })
  const resources = request.resources.map((resource): DescribedResource => {
    const { type, name, configNames } = resource
    const configs = configsOf(context, resource, topics)
    if (!Array.isArray(configs)) return { type, name, ...configs, configs: [] }
    const wanted = configNames === null ? configs : configs.filter((config) => configNames.includes(config.name))
    return {
      type,
      name,
      errorCode: KafkaError.NONE,
      errorMessage: null,
      configs: wanted.map((config) => ({
        ...config,
        synonyms: request.includeSynonyms ? config.synonyms : [],
        documentation: request.includeDocumentation ? config.documentation : null,
      })),
    }
  })
  return { resources }
}

function configsOf(
  context: RequestContext,
  { type, name }: DescribableResource,
  topics: ReadonlyMap<string, Resolved>,
): DescribedConfig[] | KafkaFailure {
  if (type === RESOURCE_TOPIC) {
    const { topic, failure } = topics.get(name)!
    return failure ?? topicConfigs(context, topic.configs)
  }
  if (type !== RESOURCE_BROKER) {
    return kafkaFailure(
      KafkaError.INVALID_REQUEST,
      `Configs of resource type ${type} are not known: only topics and brokers`,
    )
  }
  // Without a name: what was set for all brokers at run time, which is nothing, ever.
  if (name === '') return []
  const { nodeId } = context.broker.cluster
  if (name === String(nodeId)) return brokerConfigs(context)
  return kafkaFailure(KafkaError.INVALID_REQUEST, `This is broker ${nodeId}: ask broker ${name} itself for its configs`)
}
