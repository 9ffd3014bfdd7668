import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import { type ApiError, encodeApiError } from './api-error.js'

/** What the APIs of configs have in common: what a config belongs to, and where its value comes from. */
export const RESOURCE_TOPIC = 2
export const RESOURCE_BROKER = 4

/** `ConfigSource`: set on the topic, given to the agent at its start, or by default. */
export const SOURCE_TOPIC = 1
export const SOURCE_STATIC_BROKER = 4
export const SOURCE_DEFAULT = 5

export interface ConfigResource {
  readonly type: number
  readonly name: string
}

export interface AlterationRequest<Config> {
  readonly resources: readonly AlterableResource<Config>[]
  readonly validateOnly: boolean
}

interface AlterableResource<Config> extends ConfigResource {
  readonly configs: readonly Config[]
}

/** AlterConfigs and IncrementalAlterConfigs differ in the fields of a config, up to its tags. */
export function decodeAlterationRequest<Config>(
  reader: WireReader,
  decodeConfig: (reader: WireReader) => Config,
): AlterationRequest<Config> {
  const resources = reader.array(() => {
    const type = reader.i8()
    const name = reader.string()
    const configs = reader.array(() => {
      const config = decodeConfig(reader)
      reader.tags()
      return config
    })
    reader.tags()
    return { type, name, configs }
  })
  const validateOnly = reader.boolean()
  reader.tags()
  return { resources, validateOnly }
}

export interface AlterConfigsResponse {
  readonly resources: readonly AlteredResource[]
}

export interface AlteredResource extends ConfigResource, ApiError {}

/** The same for AlterConfigs and IncrementalAlterConfigs, in all versions. */
export function encodeAlterConfigsResponse(writer: WireWriter, response: AlterConfigsResponse): void {
  writer.i32(0)
  writer.array(response.resources, (resource) => {
    encodeApiError(writer, resource)
    writer.i8(resource.type)
    writer.string(resource.name)
    writer.tags()
  })
  writer.tags()
}
