import type { WireReader } from '../wire/reader.js'
import type { ApiCodec } from './api.js'
import { type AlterConfigsResponse, type ConfigResource, encodeAlterConfigsResponse } from './config-resource.js'

export interface AlterConfigsRequest {
  readonly resources: readonly AlterableResource[]
  readonly validateOnly: boolean
}

/** Its configs are the whole set: what is not among them goes back to its default. */
export interface AlterableResource extends ConfigResource {
  readonly configs: readonly { readonly name: string; readonly value: string | null }[]
}

export const alterConfigs: ApiCodec<AlterConfigsRequest, AlterConfigsResponse> = {
  key: 33,
  name: 'AlterConfigs',
  validVersions: { min: 0, max: 2 },
  flexibleFrom: 2,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse: encodeAlterConfigsResponse,
}

function decodeRequest(reader: WireReader): AlterConfigsRequest {
  const resources = reader.array(() => {
    const type = reader.i8()
    const name = reader.string()
    const configs = reader.array(() => {
      const config = { name: reader.string(), value: reader.nullableString() }
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
