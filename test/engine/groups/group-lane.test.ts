import t from 'tap'
import { groupNotEmpty, notCoordinator } from '../../../engine/groups/group-errors.js'
import { GroupLane, type Savable } from '../../../engine/groups/group-lane.js'
import type { GroupCatalog } from '../../../engine/ports/group-catalog.js'
import { NO_LOGGER } from '../../../engine/ports/logger.js'
import { deferred } from '../../support/kafka/wait.js'
import { VirtualClock } from '../../support/virtual-clock.js'

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
    clock: new VirtualClock(),
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

t.test('what is refused is an answer and no fault of ours: only the rest is logged as unexpected', async (t) => {
  const logged: string[] = []
  const lane = () =>
    new GroupLane({
      catalog: {} as GroupCatalog,
      claim: { groupNo: 1, coordinatorEpoch: 1 },
      clock: new VirtualClock(),
      logger: { ...NO_LOGGER, error: (_fields, message) => logged.push(message) },
      groupId: 'readers',
      group: { version: 0, stored: () => ({ protocolType: '', state: 'Empty', record: new Uint8Array() }) },
      onFenced: () => {},
    })
  for (const refusal of [groupNotEmpty(), notCoordinator()]) {
    const refused = lane().alone(() => Promise.reject(refusal))
    await t.rejects(refused, { code: refusal.code })
  }
  t.same(logged, [])
  await t.rejects(
    lane().alone(() => Promise.reject(new Error('a bug'))),
    { message: 'a bug' },
  )
  t.same(logged, ['a consumer group failed unexpectedly'])
})
