import t from 'tap'
import { GroupLane, type Savable } from '../../../engine/groups/group-lane.js'
import type { GroupCatalog } from '../../../engine/ports/group-catalog.js'
import { NO_LOGGER } from '../../../engine/ports/logger.js'
import { deferred } from '../../support/kafka/wait.js'

t.test('who asks for a version while just that one is being saved is answered with it', async (t) => {
  const saving = deferred()
  const saves: number[] = []
  const group: Savable = {
    version: 1,
    stored: () => ({ protocolType: 'consumer', state: 'Stable', record: new Uint8Array([1]) }),
  }
  const catalog: Pick<GroupCatalog, 'saveGroup'> = {
    async saveGroup() {
      saves.push(group.version)
      await saving.promise
    },
  }
  const lane = new GroupLane({
    catalog: catalog as GroupCatalog,
    claim: { groupNo: 1, coordinatorEpoch: 1 },
    logger: NO_LOGGER,
    groupId: 'readers',
    group,
    onFenced: () => t.fail('nobody fenced it'),
  })
  const first = lane.saved(1)
  await new Promise((resolve) => setImmediate(resolve))
  const second = lane.saved(1)
  saving.resolve()
  await Promise.all([first, second])
  t.same(saves, [1], 'once')
  await lane.ended()
  t.ok(lane.isIdle)
})
