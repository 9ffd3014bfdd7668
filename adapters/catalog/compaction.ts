import type { SegmentId, TopicId } from '../../engine/model.js'
import type { LiveSegmentsRequest, SegmentExtent, SegmentInfo } from '../../engine/ports/jobs-catalog.js'
import type { Session } from './database.js'
import type { Dialect } from './dialect.js'
import { literalsOf } from './extent-removal.js'
import { readExtentsOfSegments, type StoredExtent } from './extent-rows.js'
import { extentOf, readSegments } from './log-rows.js'
import { partitionIndexOf, topicNumberOf } from './partition-numbers.js'
import { readPartitions } from './partition-rows.js'
import { SEGMENT_LIVE } from './schema.js'
import { SEGMENT_INFO_COLUMNS, segmentInfoOf } from './segment-rows.js'
import { inChunks, int, intOf, uuid, uuidOf, within } from './sql-text.js'

/** What compaction plans by. Nothing here is locked: the swap finds out whether the picture still holds. */
export async function liveSegments(session: Session, request: LiveSegmentsRequest): Promise<SegmentInfo[]> {
  const after = request.after === undefined ? '' : ` AND segment_id > ${uuid(request.after)}`
  const rows = await session.rows(
    `SELECT ${SEGMENT_INFO_COLUMNS} FROM segments
     WHERE state = ${SEGMENT_LIVE} AND level = ${int(request.level)}${after} ORDER BY segment_id LIMIT ${int(request.limit)}`,
  )
  return rows.map(segmentInfoOf)
}

export async function extentsOfSegments(
  dialect: Dialect,
  session: Session,
  segmentIds: readonly SegmentId[],
): Promise<SegmentExtent[]> {
  const extents: StoredExtent[] = []
  for (const chunk of inChunks(literalsOf(segmentIds), 500)) {
    extents.push(...(await readExtentsOfSegments(dialect, session, within('segment_id', chunk))))
  }
  const segments = await readSegments(session, segmentIds)
  const partitionNos = new Set(extents.map(({ partitionNo }) => partitionNo))
  const partitions = await readPartitions(session, partitionNos)
  const topicIds = await readTopicIds(session, new Set([...partitionNos].map(topicNumberOf)))
  return extents.flatMap((stored) => {
    const { partitionNo, segmentId } = stored
    const topicId = topicIds.get(topicNumberOf(partitionNo))
    const segment = segments.get(segmentId)
    // Gone between two of these statements.
    if (topicId === undefined || segment === undefined) return []
    const extent = extentOf({ topicId, partition: partitionIndexOf(partitionNo) }, { stored, segment })
    const logStartOffset = partitions.get(partitionNo)?.logStartOffset ?? Number.POSITIVE_INFINITY
    return [{ ...extent, wanted: extent.endOffset > logStartOffset }]
  })
}

async function readTopicIds(session: Session, topicNos: ReadonlySet<number>): Promise<ReadonlyMap<number, TopicId>> {
  const found = new Map<number, TopicId>()
  for (const chunk of inChunks([...topicNos], 5000)) {
    const rows = await session.rows(`SELECT topic_id, topic_no FROM topics WHERE ${within('topic_no', chunk.map(int))}`)
    for (const row of rows) found.set(intOf(row, 'topic_no'), uuidOf(row, 'topic_id'))
  }
  return found
}
