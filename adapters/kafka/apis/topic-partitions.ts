import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'

/** Topics by name with something for each partition: what many requests and responses are made of. */
export interface TopicPartitions<Partition> {
  readonly name: string
  readonly partitions: readonly Partition[]
}

/** `decodeFields` leaves the partition's tags to this. */
export function decodeTopics<Partition>(
  reader: WireReader,
  decodeFields: () => Partition,
): TopicPartitions<Partition>[] {
  const decodePartition = () => {
    const partition = decodeFields()
    reader.tags()
    return partition
  }
  return reader.array(() => decodeTopic(reader, decodePartition))
}

/** Of requests that name partitions and say no more of them. */
export function decodePartitionNumbers(reader: WireReader): TopicPartitions<number>[] {
  return reader.array(() => decodeTopic(reader, () => reader.i32()))
}

export function decodeNullablePartitionNumbers(reader: WireReader): TopicPartitions<number>[] | null {
  return reader.nullableArray(() => decodeTopic(reader, () => reader.i32()))
}

function decodeTopic<Partition>(reader: WireReader, decodePartition: () => Partition): TopicPartitions<Partition> {
  const name = reader.string()
  const partitions = reader.array(decodePartition)
  reader.tags()
  return { name, partitions }
}

/** `encodeFields` leaves the partition's tags to this. */
export function encodeTopics<Partition>(
  writer: WireWriter,
  topics: readonly TopicPartitions<Partition>[],
  encodeFields: (partition: Partition) => void,
): void {
  writer.array(topics, ({ name, partitions }) => {
    writer.string(name)
    writer.array(partitions, (partition) => {
      encodeFields(partition)
      writer.tags()
    })
    writer.tags()
  })
}
