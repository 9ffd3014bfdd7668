import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import { type AclFilter, decodeAclFilter } from './acl-filter.js'
import type { ApiCodec } from './api.js'

export interface DeleteAclsRequest {
  readonly filters: readonly AclFilter[]
}

/** One result per filter, in their order. */
export interface DeleteAclsResponse {
  readonly filterResults: readonly AclFilterResult[]
}

/** There are no ACLs that a filter could have matched. */
export interface AclFilterResult {
  readonly errorCode: number
  readonly errorMessage: string | null
}

export const deleteAcls: ApiCodec<DeleteAclsRequest, DeleteAclsResponse> = {
  key: 31,
  name: 'DeleteAcls',
  validVersions: { min: 1, max: 3 },
  flexibleFrom: 2,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): DeleteAclsRequest {
  const filters = reader.array(() => decodeAclFilter(reader))
  reader.tags()
  return { filters }
}

function encodeResponse(writer: WireWriter, response: DeleteAclsResponse): void {
  writer.i32(0)
  writer.array(response.filterResults, (result) => {
    writer.i16(result.errorCode)
    writer.nullableString(result.errorMessage)
    // Matching ACLs.
    writer.array([], () => {})
    writer.tags()
  })
  writer.tags()
}
