import type { DescribeAclsResponse } from '../apis/29-describe-acls.js'
import type { CreateAclsRequest, CreateAclsResponse } from '../apis/30-create-acls.js'
import type { DeleteAclsRequest, DeleteAclsResponse } from '../apis/31-delete-acls.js'
import type { AclFilter } from '../apis/acl-filter.js'
import type { RequestContext } from '../context.js'
import { KafkaError, kafkaFailure } from '../errors.js'

/**
 * What Kafka without an authorizer says. Tools that copy ACLs from cluster to cluster go on without them when they hear
 * SECURITY_DISABLED, and not when they hear anything else. Kafka's two texts differ; people look for them by their words.
 */
const nothingToDescribe = kafkaFailure(KafkaError.SECURITY_DISABLED, 'No Authorizer is configured on the broker')
const nothingToChange = kafkaFailure(KafkaError.SECURITY_DISABLED, 'No Authorizer is configured.')

export async function handleDescribeAcls(_context: RequestContext, _filter: AclFilter): Promise<DescribeAclsResponse> {
  return nothingToDescribe
}

export async function handleCreateAcls(
  _context: RequestContext,
  { creations }: CreateAclsRequest,
): Promise<CreateAclsResponse> {
  return { results: creations.map(() => nothingToChange) }
}

export async function handleDeleteAcls(
  _context: RequestContext,
  { filters }: DeleteAclsRequest,
): Promise<DeleteAclsResponse> {
  return { filterResults: filters.map(() => nothingToChange) }
}
