import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'

export interface CreateAclsRequest {
  readonly creations: readonly AclCreation[]
}

export interface AclCreation {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

/** One result per creation, in their order: nothing else tells which is which. */
export interface CreateAclsResponse {
  readonly results: readonly AclCreationResult[]
}

export type AclCreationResult = ApiError

export const createAcls: ApiCodec<CreateAclsRequest, CreateAclsResponse> = {
  key: 30,
  name: 'CreateAcls',
  validVersions: { min: 1, max: 3 },
  flexibleFrom: 2,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): CreateAclsRequest {
  const creations = reader.array(() => {
    const resource = { resourceType: reader.i8(), resourceName: reader.string(), patternType: reader.i8() }
    const who = { principal: reader.string(), host: reader.string() }
    const creation = { ...resource, ...who, operation: reader.i8(), permissionType: reader.i8() }
    reader.tags()
    return creation
  })
  reader.tags()
  return { creations }
}

function encodeResponse(writer: WireWriter, response: CreateAclsResponse): void {
  writer.i32(0)
  writer.array(response.results, (result) => {
    encodeApiError(writer, result)
    writer.tags()
  })
  writer.tags()
}
