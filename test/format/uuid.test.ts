import t from 'tap'
import { isUuid, uuidBytes, uuidText, writeUuid } from '../../format/index.js'

const TEXT = '01234567-89ab-cdef-0123-456789abcdef'

t.test('text and bytes', async (t) => {
  t.equal(Array.from(uuidBytes(TEXT), (byte) => byte.toString(16).padStart(2, '0')).join(''), TEXT.replaceAll('-', ''))
  t.equal(uuidText(uuidBytes(TEXT)), TEXT)
  const target = new Uint8Array(20)
  writeUuid(TEXT, target, 3)
  t.equal(uuidText(target, 3), TEXT)
})

t.test('other texts and places are refused', async (t) => {
  for (const text of ['', TEXT.toUpperCase(), TEXT.slice(1), `${TEXT}0`, TEXT.replaceAll('-', ''), `{${TEXT}}`]) {
    t.notOk(isUuid(text), text)
    t.throws(() => uuidBytes(text), RangeError)
  }
  t.throws(() => uuidText(new Uint8Array(15)), RangeError)
  t.throws(() => uuidText(new Uint8Array(16), 1), RangeError)
  t.throws(() => writeUuid(TEXT, new Uint8Array(16), 1), RangeError)
})
