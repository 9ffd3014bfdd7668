import { randomUUID } from 'node:crypto'
import type { ObjectStore } from '../engine/ports/object-store.js'

/**
 * Writes and deletes one small object, so that an agent with a wrong bucket, region or permission does not start, rather
 * than start and refuse every write. Two requests per start; nothing checks again, since an idle agent makes none.
 *
 * @throws HeadraceError what the store says
 */
export async function checkObjectStore(store: ObjectStore): Promise<void> {
  const key = `startup-check/${randomUUID()}`
  await store.put(key, new TextEncoder().encode('headrace was here\n'))
  const [deleted] = await store.delete([key])
  if (deleted?.deleted === false) throw deleted.error
}
