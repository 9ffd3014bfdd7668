import t from 'tap'
import { missingPrograms, type Prerequisite } from './missing-programs.js'

const server: Prerequisite = {
  name: 'a server',
  programs: ['one', 'other'],
  debianPackages: ['one-core'],
  substituteEnv: 'TEST_SERVER',
}

t.test('any of the programs will do', async (t) => {
  t.same(
    missingPrograms([server], (program) => program === 'other', {}),
    [],
  )
})

t.test('a variable may name a substitute, an empty one does not', async (t) => {
  t.same(
    missingPrograms([server], () => false, { TEST_SERVER: 'mysql://x' }),
    [],
  )
  t.equal(missingPrograms([server], () => false, { TEST_SERVER: '' }).length, 1)
})

t.test('what is missing comes with what to do about it', async (t) => {
  const [missing] = missingPrograms([server], () => false, {})
  t.same(missing?.debianPackages, ['one-core'])
  t.match(missing?.hint, /one or other.*TEST_SERVER.*apt-get install one-core/)
})
