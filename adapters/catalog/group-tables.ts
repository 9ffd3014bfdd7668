import type { Session } from './database.js'
import type { Dialect, TableDefinition } from './dialect.js'
import { tuple } from './sql-text.js'

/** Version 2 of the schema: consumer groups. */
export function groupTables(dialect: Dialect): TableDefinition[] {
  const { types } = dialect
  return [
    {
      name: 'group_numbers',
      columns: ['singleton SMALLINT NOT NULL', 'next_group_no BIGINT NOT NULL'],
      primaryKey: 'singleton',
    },
    {
      // Not called groups, which MySQL 8 keeps for itself. coordinator_epoch: bumped by every claim; a writer names it.
      // active_at_ms: when the group was last saved or committed to.
      name: 'consumer_groups',
      columns: [
        'group_no BIGINT NOT NULL',
        `group_id ${types.utf8} NOT NULL`,
        'coordinator_epoch BIGINT NOT NULL',
        `protocol_type ${types.shortBlob} NOT NULL`,
        'state VARCHAR(32) NOT NULL',
        `record ${types.blob} NOT NULL`,
        'active_at_ms BIGINT NOT NULL',
      ],
      primaryKey: 'group_no',
      uniques: ['group_id'],
      indexes: { consumer_groups_active: 'state, active_at_ms' },
    },
    {
      name: 'group_offsets',
      columns: [
        'group_no BIGINT NOT NULL',
        'partition_no BIGINT NOT NULL',
        'committed_offset BIGINT NOT NULL',
        'leader_epoch INT NOT NULL',
        `metadata ${types.blob} NOT NULL`,
        'committed_at_ms BIGINT NOT NULL',
      ],
      primaryKey: 'group_no, partition_no',
      // For the deletion of a topic.
      indexes: { group_offsets_partition: 'partition_no' },
    },
  ]
}

export async function rowsOfGroupTables(session: Session): Promise<void> {
  if ((await session.rows('SELECT singleton FROM group_numbers')).length > 0) return
  await session.insert('group_numbers', ['singleton', 'next_group_no'], [tuple('1', '1')])
}
