import type { WireWriter } from '../wire/writer.js'
import { type AclFilter, decodeAclFilter } from './acl-filter.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'

/** There are no ACLs, so all that can be answered is an error. */
export type DescribeAclsResponse = ApiError

export const describeAcls: ApiCodec<AclFilter, DescribeAclsResponse> = {
  key: 29,
  name: 'DescribeAcls',
  validVersions: { min: 1, max: 3 },
  flexibleFrom: 2,
  responseHeaderFlexible: true,
  // The filter's tags are the request's own.
  decodeRequest: decodeAclFilter,
  encodeResponse,
}

function encodeResponse(writer: WireWriter, response: DescribeAclsResponse): void {
  writer.i32(0)
  encodeApiError(writer, response)
  // Resources with their ACLs.
  writer.array([], () => {})
  writer.tags()
}
