import { randomBytes } from 'node:crypto'
import type { Session } from './database.js'
import type { Dialect, TableDefinition } from './dialect.js'
import { groupTables, rowsOfGroupTables } from './group-tables.js'
import { dropRowsOfPartitions, fillPages, pageTables } from './pages-migration.js'
import { tuple } from './sql-text.js'

/**
 * The schema as a numbered list of steps. A step is never changed once released; it may be run again after it was cut off in
 * the middle, because on MySQL every CREATE TABLE commits by itself.
 */
export interface Migration {
  readonly version: number
  readonly tables?: (dialect: Dialect) => readonly TableDefinition[]
  /** Other changes of tables and indexes; on MySQL they are outside any transaction, like the tables. */
  readonly structure?: (session: Session, dialect: Dialect) => Promise<void>
  /** Changes of rows, in the transaction that also notes the version. */
  readonly rows?: (session: Session, dialect: Dialect) => Promise<void>
}

export const SCHEMA_TABLE: TableDefinition = {
  name: 'schema_version',
  columns: ['singleton SMALLINT NOT NULL', 'version INT NOT NULL'],
  primaryKey: 'singleton',
}

/** `segments.state` */
export const SEGMENT_LIVE = 1
/** No extent points at it: its object may be deleted after the grace period, and the row after its object. */
export const SEGMENT_DEAD = 2
/** The store has confirmed that the object is gone. */
export const SEGMENT_DELETED = 3

export const MIGRATIONS: readonly Migration[] = [
  { version: 1, tables: tablesOfVersion1, rows: rowsOfVersion1 },
  { version: 2, tables: groupTables, rows: rowsOfGroupTables },
  { version: 3, tables: agentListenerTables },
  { version: 4, tables: leasesOfVersion4 },
  { version: 5, tables: agentRoleTables },
  { version: 6, tables: assignmentTables },
  // No table changes: producers' batches are written as agents before this version cannot read them (`producer-blob.ts`).
  { version: 7 },
  // A search by time goes without it (`timestamp-search.ts`).
  { version: 8, structure: (session, dialect) => dropIndex(session, dialect, 'extents', 'extents_timestamp') },
  { version: 9, tables: pageTables, rows: fillPages },
  { version: 10, structure: dropRowsOfPartitions },
  { version: 11, tables: recentExtentTables, structure: renameLiveExtents },
]

function tablesOfVersion1(dialect: Dialect): TableDefinition[] {
  const { types } = dialect
  return [
    {
      name: 'cluster_state',
      columns: [
        'singleton SMALLINT NOT NULL',
        'cluster_id VARCHAR(36) NOT NULL',
        'next_producer_id BIGINT NOT NULL',
        'next_topic_no BIGINT NOT NULL',
      ],
      primaryKey: 'singleton',
    },
    {
      // A deleted topic keeps its row, without its live name, until the background jobs have removed its extents.
      name: 'topics',
      columns: [
        `topic_id ${types.uuid} NOT NULL`,
        'topic_no BIGINT NOT NULL',
        `live_name ${types.name} NULL`,
        `name ${types.name} NOT NULL`,
        'partition_count INT NOT NULL',
        `configs ${types.text} NOT NULL`,
        'created_at_ms BIGINT NOT NULL',
        'deleted_at_ms BIGINT NULL',
      ],
      primaryKey: 'topic_id',
      uniques: ['topic_no', 'live_name'],
      indexes: { topics_deleted: 'deleted_at_ms' },
    },
    {
      // Pages since version 9. max_timestamp_ms: the greatest ever committed, -2 while there is none.
      name: 'partitions',
      columns: [
        'partition_no BIGINT NOT NULL',
        'log_start_offset BIGINT NOT NULL',
        'high_watermark BIGINT NOT NULL',
        'max_timestamp_ms BIGINT NOT NULL',
      ],
      primaryKey: 'partition_no',
    },
    {
      // outcome: see engine/commit/commit-outcome.ts; empty for segments written by compaction. A row stays at least as
      // long as its segment may be committed again (commitAgeMax), also when it was dead from the start.
      name: 'segments',
      columns: [
        `segment_id ${types.uuid} NOT NULL`,
        'object_key VARCHAR(512) NOT NULL',
        'object_bytes BIGINT NOT NULL',
        'level SMALLINT NOT NULL',
        'state SMALLINT NOT NULL',
        'live_extents INT NOT NULL',
        'committed_at_ms BIGINT NOT NULL',
        'dead_at_ms BIGINT NULL',
        `outcome ${types.blob} NOT NULL`,
      ],
      primaryKey: 'segment_id',
      indexes: { segments_state: 'state, level, segment_id' },
    },
    {
      // By end offset: the extent that contains an offset is the first one that ends after it, and it may start before.
      // running_max_timestamp_ms: greatest timestamp of the partition up to here. It grows with the offsets, so the first
      // extent with a late enough timestamp can be searched for; an extent's own maximum may be smaller.
      name: 'extents',
      columns: [
        'partition_no BIGINT NOT NULL',
        'end_offset BIGINT NOT NULL',
        'base_offset BIGINT NOT NULL',
        `segment_id ${types.uuid} NOT NULL`,
        'position BIGINT NOT NULL',
        'bytes BIGINT NOT NULL',
        'batch_skip_count INT NOT NULL',
        'batch_count INT NOT NULL',
        'max_timestamp_ms BIGINT NOT NULL',
        'running_max_timestamp_ms BIGINT NOT NULL',
      ],
      primaryKey: 'partition_no, end_offset',
      indexes: {
        extents_timestamp: 'partition_no, running_max_timestamp_ms, end_offset',
        extents_segment: 'segment_id',
      },
    },
    {
      // Pages since version 9. producer_key: partition_no and producer id, 8 bytes each.
      name: 'producers',
      columns: [
        `producer_key ${types.uuid} NOT NULL`,
        'epoch INT NOT NULL',
        `batches ${types.shortBlob} NOT NULL`,
        'updated_at_ms BIGINT NOT NULL',
        'updated_minute INT NOT NULL',
      ],
      primaryKey: 'producer_key',
      indexes: { producers_updated: 'updated_minute' },
    },
    {
      // An agent that left keeps its node id taken until it would have expired: clients may still know it by that.
      name: 'agents',
      columns: [
        'node_id INT NOT NULL',
        'instance_id VARCHAR(64) NULL',
        'host VARCHAR(255) NOT NULL',
        'port INT NOT NULL',
        'zone VARCHAR(255) NULL',
        'expiry_ms BIGINT NOT NULL',
        'heartbeat_at_ms BIGINT NOT NULL',
      ],
      primaryKey: 'node_id',
    },
  ]
}

function agentListenerTables(): TableDefinition[] {
  return [
    {
      // All addresses of an agent by the names of its listeners; `agents` has the default one. instance_id: rows of
      // another instance than the one in `agents` are left over.
      name: 'agent_listeners',
      columns: [
        'node_id INT NOT NULL',
        'position SMALLINT NOT NULL',
        'instance_id VARCHAR(64) NOT NULL',
        'listener VARCHAR(64) NOT NULL',
        'host VARCHAR(255) NOT NULL',
        'port INT NOT NULL',
      ],
      primaryKey: 'node_id, position',
    },
  ]
}

function leasesOfVersion4(): TableDefinition[] {
  return [
    {
      // note: what a job leaves to whoever does it next.
      name: 'leases',
      columns: [
        'name VARCHAR(64) NOT NULL',
        'holder VARCHAR(64) NULL',
        'token BIGINT NOT NULL',
        'expires_at_ms BIGINT NOT NULL',
        'rests_until_ms BIGINT NOT NULL',
        'note VARCHAR(255) NOT NULL',
      ],
      primaryKey: 'name',
    },
  ]
}

function agentRoleTables(): TableDefinition[] {
  return [
    {
      // Roles separated by commas. An agent without a row has all; a row of another instance is left over.
      name: 'agent_roles',
      columns: ['node_id INT NOT NULL', 'instance_id VARCHAR(64) NOT NULL', 'roles VARCHAR(255) NOT NULL'],
      primaryKey: 'node_id',
    },
  ]
}

/** Of those topics alone that were created, or given partitions, with nodes by name: JSON, a list of node ids per partition. */
function assignmentTables({ types }: Dialect): TableDefinition[] {
  return [
    {
      name: 'topic_assignments',
      columns: [`topic_id ${types.uuid} NOT NULL`, `assignment ${types.text} NOT NULL`],
      primaryKey: 'topic_id',
    },
  ]
}

/** Not every server knows DROP INDEX IF EXISTS. */
function dropIndex(session: Session, dialect: Dialect, table: string, index: string): Promise<void> {
  return whereFound(session, dialect.findIndex(table, index), dialect.dropIndex(table, index))
}

/** Changes what the query finds, where it still does. */
async function whereFound(session: Session, query: string, change: string): Promise<void> {
  const isThere = async () => (await session.rows(query)).length > 0
  if (!(await isThere())) return
  try {
    await session.run(change)
  } catch (error) {
    // Another agent that has taken over was faster.
    if (await isThere()) throw error
  }
}

function recentExtentTables({ types }: Dialect): TableDefinition[] {
  return [
    {
      // What a commit brought to a page of partitions, until it is filed into `extents`. extents: see `extent-pack.ts`.
      name: 'recent_extents',
      columns: ['page_no BIGINT NOT NULL', `segment_id ${types.uuid} NOT NULL`, `extents ${types.blob} NOT NULL`],
      primaryKey: 'page_no, segment_id',
      indexes: { recent_extents_segment: 'segment_id' },
    },
  ]
}

/**
 * An agent of an earlier version that still runs sees no recent extents, and would take their segments for dead. With the column renamed it can
 * neither commit nor compact nor remove.
 */
function renameLiveExtents(session: Session, dialect: Dialect): Promise<void> {
  const rename = 'ALTER TABLE segments RENAME COLUMN live_extents TO live_extent_count'
  return whereFound(session, dialect.findColumn('segments', 'live_extents'), rename)
}

async function rowsOfVersion1(session: Session): Promise<void> {
  const columns = ['singleton', 'cluster_id', 'next_producer_id', 'next_topic_no']
  if ((await session.rows('SELECT singleton FROM cluster_state')).length > 0) return
  // 22 characters of base64, as Kafka's tools make them.
  const clusterId = randomBytes(16).toString('base64url')
  await session.insert('cluster_state', columns, [tuple('1', `'${clusterId}'`, '0', '1')])
}
