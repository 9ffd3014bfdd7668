import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'

export interface DescribeClientQuotasRequest {
  readonly components: readonly QuotaFilterComponent[]
  /** Only entities that have no other component. */
  readonly strict: boolean
}

export interface QuotaFilterComponent {
  readonly entityType: string
  /** 0 for the name, 1 for the default, 2 for any that has one. */
  readonly matchType: number
  readonly match: string | null
}

/** There are no quotas to list. */
export type DescribeClientQuotasResponse = ApiError

export const describeClientQuotas: ApiCodec<DescribeClientQuotasRequest, DescribeClientQuotasResponse> = {
  key: 48,
  name: 'DescribeClientQuotas',
  validVersions: { min: 0, max: 1 },
  flexibleFrom: 1,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): DescribeClientQuotasRequest {
  const components = reader.array(() => {
    const component = { entityType: reader.string(), matchType: reader.i8(), match: reader.nullableString() }
    reader.tags()
    return component
  })
  const strict = reader.boolean()
  reader.tags()
  return { components, strict }
}

function encodeResponse(writer: WireWriter, response: DescribeClientQuotasResponse): void {
  writer.i32(0)
  encodeApiError(writer, response)
  // Entries: null is for failures.
  writer.array([], () => {})
  writer.tags()
}
