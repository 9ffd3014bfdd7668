import type { WireReader } from '../wire/reader.js'
import type { ApiCodec } from './api.js'
import {
  type AlterationRequest,
  type AlterConfigsResponse,
  decodeAlterationRequest,
  encodeAlterConfigsResponse,
} from './config-resource.js'

/** A resource's configs are the whole set: what is not among them goes back to its default. */
export type AlterConfigsRequest = AlterationRequest<ConfigValue>

export interface ConfigValue {
  readonly name: string
  readonly value: string | null
}

export const alterConfigs: ApiCodec<AlterConfigsRequest, AlterConfigsResponse> = {
  key: 33,
  name: 'AlterConfigs',
  validVersions: { min: 0, max: 2 },
  flexibleFrom: 2,
  responseHeaderFlexible: true,
  decodeRequest: (reader) => decodeAlterationRequest(reader, decodeValue),
  encodeResponse: encodeAlterConfigsResponse,
}

function decodeValue(reader: WireReader): ConfigValue {
  return { name: reader.string(), value: reader.nullableString() }
}
