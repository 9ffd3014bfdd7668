import type { TopicConfigChange, TopicConfigEdit } from '../broker.js'
import { HeadraceError } from '../errors.js'
import { checkTopicConfigs, TOPIC_CONFIGS } from './topic-configs.js'

type Configs = Readonly<Record<string, string>>

/**
 * The configs a topic has after a change. Pure: the catalog calls it under the lock of the topic's row.
 * @throws CONFIG_INVALID
 */
export function changedConfigs(configs: Configs, change: TopicConfigChange): Configs {
  const changed = change.kind === 'replace' ? change.configs : change.edits.reduce(edited, configs)
  checkTopicConfigs(changed)
  return changed
}

function edited(configs: Configs, edit: TopicConfigEdit): Configs {
  const { name } = edit
  switch (edit.operation) {
    case 'set':
      return { ...configs, [name]: edit.value }
    case 'delete':
      return Object.fromEntries(Object.entries(configs).filter(([other]) => other !== name))
    case 'append': {
      const items = itemsOf(configs, name, edit.operation)
      return { ...configs, [name]: [...new Set([...items, ...split(edit.value)])].join(',') }
    }
    case 'subtract': {
      const gone = new Set(split(edit.value))
      const left = itemsOf(configs, name, edit.operation).filter((item) => !gone.has(item))
      return { ...configs, [name]: left.join(',') }
    }
  }
}

/** Of a config that was never set these are the items of its default, as in Kafka. */
function itemsOf(configs: Configs, name: string, operation: string): readonly string[] {
  const config = TOPIC_CONFIGS[name]
  if (config?.type === 'list') return split(configs[name] ?? config.default)
  const reason = config === undefined ? 'there is no such topic config' : `it is of type ${config.type}, not a list`
  throw new HeadraceError('CONFIG_INVALID', 'never', `cannot ${operation} to ${name}: ${reason}`)
}

function split(list: string): readonly string[] {
  return list
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
