import type { WireReader } from '../wire/reader.js'
import type { ApiCodec } from './api.js'
import { type AlterConfigsResponse, type ConfigResource, encodeAlterConfigsResponse } from './config-resource.js'

export interface IncrementalAlterConfigsRequest {
  readonly resources: readonly IncrementallyAlterableResource[]
  readonly validateOnly: boolean
}

export interface IncrementallyAlterableResource extends ConfigResource {
  readonly configs: readonly ConfigOperation[]
}

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
  decodeRequest,
  encodeResponse: encodeAlterConfigsResponse,
}

function decodeRequest(reader: WireReader): IncrementalAlterConfigsRequest {
  const resources = reader.array(() => {
    const type = reader.i8()
    const name = reader.string()
    const configs = reader.array(() => {
      const config = { name: reader.string(), operation: reader.i8(), value: reader.nullableString() }
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
