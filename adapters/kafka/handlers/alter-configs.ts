import type { TopicConfigChange, TopicConfigEdit } from '../../../engine/broker.js'
import type { AlterConfigsRequest, ConfigValue } from '../apis/33-alter-configs.js'
import {
  type ConfigOperation,
  type IncrementalAlterConfigsRequest,
  OPERATION_APPEND,
  OPERATION_DELETE,
  OPERATION_SET,
  OPERATION_SUBTRACT,
} from '../apis/44-incremental-alter-configs.js'
import {
  type AlterationRequest,
  type AlterConfigsResponse,
  type AlteredResource,
  type ConfigResource,
  RESOURCE_BROKER,
  RESOURCE_TOPIC,
} from '../apis/config-resource.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaFailure, kafkaFailure } from '../errors.js'
import { failureOf, resolveNames } from './resolve-topics.js'

export function handleAlterConfigs(
  context: RequestContext,
  request: AlterConfigsRequest,
): Promise<AlterConfigsResponse> {
  return alterEach(context, request, replacement)
}

export function handleIncrementalAlterConfigs(
  context: RequestContext,
  request: IncrementalAlterConfigsRequest,
): Promise<AlterConfigsResponse> {
  return alterEach(context, request, editing)
}

type ConfigChange = TopicConfigChange | KafkaFailure

function unsetsOnly(change: ConfigChange): boolean {
  return 'kind' in change && change.kind === 'edit' && change.edits.every(({ operation }) => operation === 'delete')
}

async function alterEach<Config>(
  context: RequestContext,
  { resources, validateOnly }: AlterationRequest<Config>,
  changeOf: (configs: readonly Config[]) => ConfigChange,
): Promise<AlterConfigsResponse> {
  const counts = new Map<string, number>()
  for (const { type, name } of resources) counts.set(`${type} ${name}`, (counts.get(`${type} ${name}`) ?? 0) + 1)
  const altered: AlteredResource[] = []
  // One by one: a request with thousands of topics must not start thousands of transactions.
  for (const { type, name, configs } of resources) {
    const failure =
      counts.get(`${type} ${name}`) === 1
        ? await alter(context, { type, name }, changeOf(configs), validateOnly)
        : kafkaFailure(KafkaError.INVALID_REQUEST, `The request names ${name} more than once`)
    altered.push({ type, name, ...(failure ?? { errorCode: KafkaError.NONE, errorMessage: null }) })
  }
  return { resources: altered }
}

async function alter(
  context: RequestContext,
  { type, name }: ConfigResource,
  change: ConfigChange,
  validateOnly: boolean,
): Promise<KafkaFailure | undefined> {
  if (type === RESOURCE_BROKER) {
    // Nothing is ever set over the protocol, so that nothing is left to do. kafka-reassign-partitions clears its throttles.
    if (unsetsOnly(change)) return undefined
    const text = 'Settings of an agent are changed in its own configuration and by a restart, not over the protocol'
    return kafkaFailure(KafkaError.INVALID_REQUEST, text)
  }
  if (type !== RESOURCE_TOPIC) {
    return kafkaFailure(
      KafkaError.INVALID_REQUEST,
      `Configs of resource type ${type} are not known: only those of topics`,
    )
  }
  if ('errorCode' in change) return change
  const { topic, failure } = (await resolveNames(context, [name], { fresh: true })).get(name)!
  if (failure !== undefined) return failure
  try {
    await context.broker.topics.alterConfigs(topic.topicId, change, { validateOnly })
    return undefined
  } catch (error) {
    return failureOf(context, error)
  }
}

function replacement(configs: readonly ConfigValue[]): ConfigChange {
  const unset = configs.find(({ value }) => value === null)
  if (unset !== undefined) {
    return kafkaFailure(
      KafkaError.INVALID_CONFIG,
      `Config ${unset.name} needs a value; leave it out to have the default`,
    )
  }
  return { kind: 'replace', configs: Object.fromEntries(configs.map(({ name, value }) => [name, value ?? ''])) }
}

function editing(configs: readonly ConfigOperation[]): ConfigChange {
  if (new Set(configs.map(({ name }) => name)).size < configs.length) {
    return kafkaFailure(KafkaError.INVALID_REQUEST, 'A config may be changed only once in a request')
  }
  const edits: TopicConfigEdit[] = []
  for (const config of configs) {
    const edit = editOf(config)
    if ('errorCode' in edit) return edit
    edits.push(edit)
  }
  return { kind: 'edit', edits }
}

const OPERATIONS = new Map([
  [OPERATION_SET, 'set'],
  [OPERATION_APPEND, 'append'],
  [OPERATION_SUBTRACT, 'subtract'],
] as const)

function editOf({ name, operation, value }: ConfigOperation): TopicConfigEdit | KafkaFailure {
  if (operation === OPERATION_DELETE) return { name, operation: 'delete' }
  const known = OPERATIONS.get(operation as 0 | 2 | 3)
  if (known === undefined) {
    return kafkaFailure(KafkaError.INVALID_REQUEST, `Config operation ${operation} is not known`)
  }
  if (value === null) return kafkaFailure(KafkaError.INVALID_CONFIG, `Config ${name} needs a value`)
  return { name, operation: known, value }
}
