import { type Command, Option } from 'commander'
import type { Catalog } from '../../engine/ports/catalog.js'
import type { ObjectStore } from '../../engine/ports/object-store.js'
import { type AgentConfig, kebabName, loadOptions, resolveConfig, type SettingKey, settings } from '../config/index.js'

export interface StoresEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly write: (text: string) => void
}

/** What a tool works on: the stores of a cluster, opened as its agents do. */
export interface OpenedStores {
  readonly config: AgentConfig
  readonly catalog: Catalog
  readonly objectStore: ObjectStore
}

/** Gives a command the settings it needs, under the names they have for agents. */
export function withSettings(command: Command, keys: readonly SettingKey[]): Command {
  command.option('--config <file>', 'YAML or JSON file with settings; also HEADRACE_CONFIG')
  for (const key of keys) {
    const { placeholder, description, defaultText } = settings[key]
    command.addOption(new Option(`--${kebabName(key)} <${placeholder}>`, `${description} (default: ${defaultText})`))
  }
  return command
}

/** Opens the stores for the time of `use`. Their code is loaded only now: help needs none of it. */
export async function onStores(
  { env }: StoresEnvironment,
  flags: Readonly<Record<string, unknown>>,
  use: (stores: OpenedStores) => Promise<void>,
): Promise<void> {
  const config = resolveConfig(loadOptions({ flags, env, file: flags['config'] as string | undefined }))
  const { openCatalog } = await import('../catalog/index.js')
  const { openObjectStore } = await import('../object-store/index.js')
  const catalog = openCatalog(config.catalog)
  const objectStore = openObjectStore(config.objectStore)
  try {
    await use({ config, catalog, objectStore })
  } finally {
    await Promise.all([catalog.close(), objectStore.close()])
  }
}
