import type { WireWriter } from '../wire/writer.js'
import { type AclFilter, decodeAclFilter } from './acl-filter.js'
import type { ApiCodec } from './api.js'

/** There are no ACLs, so all that can be answered is an error. */
export interface DescribeAclsResponse {
  readonly errorCode: number
  readonly errorMessage: string | null
}

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
  writer.i16(response.errorCode)
  writer.nullableString(response.errorMessage)
  // Resources with their ACLs.
  writer.array([], () => {})
  writer.tags()
}
