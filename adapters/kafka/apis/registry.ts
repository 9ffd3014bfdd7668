import { produce } from './00-produce.js'
import { fetch } from './01-fetch.js'
import { listOffsets } from './02-list-offsets.js'
import { metadata } from './03-metadata.js'
import { type AdvertisedApi, apiVersions } from './18-api-versions.js'
import { createTopics } from './19-create-topics.js'
import { deleteTopics } from './20-delete-topics.js'
import { initProducerId } from './22-init-producer-id.js'
import { describeConfigs } from './32-describe-configs.js'
import { alterConfigs } from './33-alter-configs.js'
import { createPartitions } from './37-create-partitions.js'
import { incrementalAlterConfigs } from './44-incremental-alter-configs.js'

/** Every API we speak. Only what is here is advertised, and only what is advertised is answered. */
export const apiCodecs = {
  produce,
  fetch,
  listOffsets,
  metadata,
  apiVersions,
  createTopics,
  deleteTopics,
  initProducerId,
  describeConfigs,
  alterConfigs,
  createPartitions,
  incrementalAlterConfigs,
} as const

/** What ApiVersions says, in key order. The same on every agent: clients take the least of all nodes. */
export const advertisedApis: readonly AdvertisedApi[] = Object.values(apiCodecs)
  .map((codec) => ({ key: codec.key, ...(codec.advertisedVersions ?? codec.validVersions) }))
  .sort((left, right) => left.key - right.key)

/** The whole table of the answer to an ApiVersions request in a version we do not know. */
export const apiVersionsOnly: readonly AdvertisedApi[] = [{ key: apiVersions.key, ...apiVersions.validVersions }]
