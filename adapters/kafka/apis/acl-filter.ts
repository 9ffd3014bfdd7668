import type { WireReader } from '../wire/reader.js'

/** Which ACLs are meant: the same for DescribeAcls and for each filter of DeleteAcls. Null matches all; so do the types' own "any". */
export interface AclFilter {
  readonly resourceType: number
  readonly resourceName: string | null
  readonly patternType: number
  readonly principal: string | null
  readonly host: string | null
  readonly operation: number
  readonly permissionType: number
}

export function decodeAclFilter(reader: WireReader): AclFilter {
  const resource = { resourceType: reader.i8(), resourceName: reader.nullableString(), patternType: reader.i8() }
  const who = { principal: reader.nullableString(), host: reader.nullableString() }
  const filter = { ...resource, ...who, operation: reader.i8(), permissionType: reader.i8() }
  reader.tags()
  return filter
}
