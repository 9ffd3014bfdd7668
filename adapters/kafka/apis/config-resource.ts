import type { WireWriter } from '../wire/writer.js'

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

export interface AlterConfigsResponse {
  readonly resources: readonly AlteredResource[]
}

export interface AlteredResource extends ConfigResource {
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** The same for AlterConfigs and IncrementalAlterConfigs, in all versions. */
export function encodeAlterConfigsResponse(writer: WireWriter, response: AlterConfigsResponse): void {
  writer.i32(0)
  writer.array(response.resources, (resource) => {
    writer.i16(resource.errorCode)
    writer.nullableString(resource.errorMessage)
    writer.i8(resource.type)
    writer.string(resource.name)
    writer.tags()
  })
  writer.tags()
}
