import type { WireReader } from '../wire/reader.js'
import type { ApiCodec } from './api.js'
import {
  type AlterationRequest,
  type AlterConfigsResponse,
  decodeAlterationRequest,
  encodeAlterConfigsResponse,
} from './config-resource.js'

export type IncrementalAlterConfigsRequest = AlterationRequest<ConfigOperation>

export interface ConfigOperation {
  readonly name: string
  /** `OPERATION_…` */
  readonly operation: number
  readonly value: string | null
}

export const OPERATION_SET = 0
export const OPERATION_DELETE = 1
export const OPERATION_APPEND = 2
export const OPERATION_SUBTRACT = 3

export const incrementalAlterConfigs: ApiCodec<IncrementalAlterConfigsRequest, AlterConfigsResponse> = {
  key: 44,
  name: 'IncrementalAlterConfigs',
  validVersions: { min: 0, max: 1 },
  flexibleFrom: 1,
  responseHeaderFlexible: true,
  decodeRequest: (reader) => decodeAlterationRequest(reader, decodeOperation),
  encodeResponse: encodeAlterConfigsResponse,
}

function decodeOperation(reader: WireReader): ConfigOperation {
  return { name: reader.string(), operation: reader.i8(), value: reader.nullableString() }
}
