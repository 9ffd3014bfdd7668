import type { ApiVersionsRequest, ApiVersionsResponse } from '../apis/18-api-versions.js'
import { advertisedApis, apiVersionsOnly } from '../apis/registry.js'
import type { RequestContext } from '../context.js'
import { KafkaError } from '../errors.js'

/** What Kafka accepts as a client's software name and version. librdkafka asks again in version 0 if refused. */
const SOFTWARE_TEXT = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

export async function handleApiVersions(
  _context: RequestContext,
  request: ApiVersionsRequest,
): Promise<ApiVersionsResponse> {
  const { clientSoftwareName, clientSoftwareVersion } = request
  const legal = [clientSoftwareName, clientSoftwareVersion].every((text) => text === null || SOFTWARE_TEXT.test(text))
  return legal
    ? { errorCode: KafkaError.NONE, apis: advertisedApis }
    : { errorCode: KafkaError.INVALID_REQUEST, apis: [] }
}

/** The answer to a version we do not know. */
export const apiVersionsUnsupported: ApiVersionsResponse = {
  errorCode: KafkaError.UNSUPPORTED_VERSION,
  apis: apiVersionsOnly,
}
