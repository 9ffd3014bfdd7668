import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import { type AclFilter, decodeAclFilter } from './acl-filter.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'

export interface DeleteAclsRequest {
  readonly filters: readonly AclFilter[]
}

/** One result per filter, in their order. */
export interface DeleteAclsResponse {
  readonly filterResults: readonly AclFilterResult[]
}

/** There are no ACLs that a filter could have matched. */
export type AclFilterResult = ApiError

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
    encodeApiError(writer, result)
    // Matching ACLs.
    writer.array([], () => {})
    writer.tags()
  })
  writer.tags()
}
