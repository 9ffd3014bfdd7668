import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'
import type { ConfigResource } from './config-resource.js'

export interface DescribeConfigsRequest {
  readonly resources: readonly DescribableResource[]
  readonly includeSynonyms: boolean
  readonly includeDocumentation: boolean
}

export interface DescribableResource extends ConfigResource {
  /** Null: all of them. */
  readonly configNames: readonly string[] | null
}

export interface DescribeConfigsResponse {
  readonly resources: readonly DescribedResource[]
}

export interface DescribedResource extends ConfigResource, ApiError {
  readonly configs: readonly DescribedConfig[]
}

export interface DescribedConfig {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly source: number
  /** From the one that counts to the default. */
  readonly synonyms: readonly ConfigSynonym[]
  /** `CONFIG_TYPES` */
  readonly type: number
  readonly documentation: string | null
}

export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: number
}

export const CONFIG_TYPES = { boolean: 1, string: 2, int: 3, short: 4, long: 5, double: 6, list: 7 } as const

export const describeConfigs: ApiCodec<DescribeConfigsRequest, DescribeConfigsResponse> = {
  key: 32,
  name: 'DescribeConfigs',
  validVersions: { min: 1, max: 4 },
  flexibleFrom: 4,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): DescribeConfigsRequest {
  const resources = reader.array(() => {
    const type = reader.i8()
    const name = reader.string()
    const configNames = reader.nullableArray(() => reader.string())
    reader.tags()
    return { type, name, configNames }
  })
  const includeSynonyms = reader.boolean()
  const includeDocumentation = version >= 3 ? reader.boolean() : false
  reader.tags()
  return { resources, includeSynonyms, includeDocumentation }
}

function encodeResponse(writer: WireWriter, response: DescribeConfigsResponse, version: number): void {
  writer.i32(0)
  writer.array(response.resources, (resource) => {
    encodeApiError(writer, resource)
    writer.i8(resource.type)
    writer.string(resource.name)
    writer.array(resource.configs, (config) => encodeConfig(writer, config, version))
    writer.tags()
  })
  writer.tags()
}

function encodeConfig(writer: WireWriter, config: DescribedConfig, version: number): void {
  writer.string(config.name)
  writer.nullableString(config.value)
  writer.boolean(config.readOnly)
  writer.i8(config.source)
  // None of them is a secret.
  writer.boolean(false)
  writer.array(config.synonyms, (synonym) => {
    writer.string(synonym.name)
    writer.nullableString(synonym.value)
    writer.i8(synonym.source)
    writer.tags()
  })
  if (version >= 3) {
    writer.i8(config.type)
    writer.nullableString(config.documentation)
  }
  writer.tags()
}
