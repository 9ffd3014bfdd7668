import t from 'tap'
import { scaleOut } from '../support/store-pairs.js'
import { restartCases } from './restart-cases.js'

t.test(scaleOut.name, (t) => restartCases(t, scaleOut))
