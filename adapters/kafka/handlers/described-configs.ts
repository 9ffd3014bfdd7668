import { TOPIC_CONFIGS, type TopicConfig } from '../../../engine/topics/topic-configs.js'
import { CONFIG_TYPES, type ConfigSynonym, type DescribedConfig } from '../apis/32-describe-configs.js'
import { SOURCE_DEFAULT, SOURCE_STATIC_BROKER, SOURCE_TOPIC } from '../apis/config-resource.js'
import type { RequestContext } from '../context.js'

/** Every config of a topic as tools see it: the topic's own value, or what holds where it has none. */
export function topicConfigs(context: RequestContext, configs: Readonly<Record<string, string>>): DescribedConfig[] {
  return Object.entries(TOPIC_CONFIGS).map(([name, config]) => {
    const cluster = clusterValue(context, name, config)
    const own = configs[name]
    const synonyms = own === undefined ? [cluster] : [{ name, value: own, source: SOURCE_TOPIC }, cluster]
    const { value, source } = own === undefined ? cluster : { value: own, source: SOURCE_TOPIC }
    const { documentation } = config
    return { name, value, readOnly: false, source, synonyms, type: CONFIG_TYPES[config.type], documentation }
  })
}

/** What topics get that do not say: Kafka's default, but for those that are settings of the agents. */
function clusterValue(context: RequestContext, name: string, config: TopicConfig): ConfigSynonym {
  const value = ofAgents(context.settings, name) ?? config.default
  const source = value === config.default ? SOURCE_DEFAULT : SOURCE_STATIC_BROKER
  return { name: config.synonym ?? name, value, source }
}

function ofAgents(settings: RequestContext['settings'], name: string): string | undefined {
  switch (name) {
    case 'max.message.bytes':
      return String(settings.messageBytesMax)
    case 'retention.ms':
      return String(settings.retentionTimeMs)
    case 'retention.bytes':
      return String(settings.retentionBytes)
    default:
      return undefined
  }
}

/**
 * An agent's settings by the names that Kafka's tools know. They are read-only: they come from the agent's own configuration, and
 * restarts change them.
 */
export function brokerConfigs(context: RequestContext): DescribedConfig[] {
  const { broker, settings, client } = context
  const self = broker.cluster.agentsFor(client).find(({ nodeId }) => nodeId === broker.cluster.nodeId)
  const given: readonly (readonly [string, keyof typeof CONFIG_TYPES, string | null, string])[] = [
    [
      'advertised.listeners',
      'string',
      self === undefined ? null : `PLAINTEXT://${self.host}:${self.port}`,
      'Where clients reach this agent.',
    ],
    [
      'auto.create.topics.enable',
      'boolean',
      String(broker.topics.autoCreate),
      'Whether using an unknown topic creates it.',
    ],
    ['broker.id', 'int', String(broker.cluster.nodeId), 'The node id of this agent.'],
    ['broker.rack', 'string', self?.zone ?? null, 'The zone of this agent.'],
    [
      'connections.max.idle.ms',
      'long',
      String(settings.connectionIdleMs),
      'A connection without requests is closed after it.',
    ],
    ['default.replication.factor', 'int', '1', 'The object store replicates; any factor is taken as fulfilled.'],
    ['delete.topic.enable', 'boolean', 'true', 'Topics can be deleted.'],
    ['fetch.max.bytes', 'int', String(settings.fetchBytesMax), 'Largest answer to a Fetch.'],
    ['max.connections', 'int', String(settings.connectionsMax), 'Connections beyond it are closed at once.'],
    [
      'message.max.bytes',
      'int',
      String(settings.messageBytesMax),
      'Largest record batch where the topic does not say.',
    ],
    ['node.id', 'int', String(broker.cluster.nodeId), 'The node id of this agent.'],
    ['num.partitions', 'int', String(broker.topics.defaultPartitionCount), 'Of topics created without a number.'],
    ['socket.request.max.bytes', 'int', String(settings.requestBytesMax), 'A larger request closes its connection.'],
  ]
  const own = given.map(([name, type, value, documentation]) =>
    readOnly(name, value, SOURCE_STATIC_BROKER, CONFIG_TYPES[type], documentation),
  )
  const names = new Set(own.map(({ name }) => name))
  const defaults = Object.entries(TOPIC_CONFIGS).flatMap(([name, config]) => {
    const { synonym, type, documentation } = config
    if (synonym === undefined || names.has(synonym)) return []
    const { value, source } = clusterValue(context, name, config)
    return [readOnly(synonym, value, source, CONFIG_TYPES[type], documentation)]
  })
  return [...own, ...defaults].sort((left, right) => (left.name < right.name ? -1 : 1))
}

function readOnly(
  name: string,
  value: string | null,
  source: number,
  type: number,
  documentation: string,
): DescribedConfig {
  return { name, value, readOnly: true, source, synonyms: [{ name, value, source }], type, documentation }
}
