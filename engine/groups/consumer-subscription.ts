import { dataView } from '../../format/index.js'

/** The protocol type of consumers; of others (Kafka Connect) the metadata is opaque. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

const VERSION_BYTES = 2

/**
 * The topics in what a consumer brings when it joins: a version, then an array of topic names; what follows concerns
 * assignors only. Undefined where the bytes are something else.
 */
export function subscribedTopics(metadata: Uint8Array): ReadonlySet<string> | undefined {
  const view = dataView(metadata)
  let position = VERSION_BYTES
  if (metadata.byteLength < position + 4) return undefined
  const count = view.getInt32(position)
  position += 4
  const topics = new Set<string>()
  for (let index = 0; index < count; index++) {
    if (metadata.byteLength < position + 2) return undefined
    const bytes = view.getInt16(position)
    position += 2
    if (bytes < 0 || metadata.byteLength < position + bytes) return undefined
    topics.add(utf8.decode(metadata.subarray(position, position + bytes)))
    position += bytes
  }
  return topics
}

const utf8 = new TextDecoder()

export function sameTopics(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  return left.size === right.size && [...left].every((topic) => right.has(topic))
}
