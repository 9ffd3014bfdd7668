import t from 'tap'
import { embedded } from '../support/store-pairs.js'
import { restartCases } from './restart-cases.js'

t.test(embedded.name, (t) => restartCases(t, embedded))
