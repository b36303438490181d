import { afterAll, describe, expect, test } from 'vitest'
import { rules } from '../../src/rules/index.ts'
import { play } from '../helpers/play.ts'
import { fixtureNames, readFixture } from '../helpers/session-fixtures.ts'

const table: string[] = []
afterAll(() => console.log(table.join('\n')))

describe('every recorded mesh ends in what was really wrong with it', () => {
  for (const name of fixtureNames) {
    test(name, async () => {
      const { expect: wanted } = readFixture(name)
      const { state } = await play(name)
      const diagnosis = state.diagnosis
      if (!diagnosis) throw new Error('no diagnosis')
      const got = diagnosis.causes.map(({ code, certainty }) => `${code} (${certainty})`).join(' + ')
      const codes = diagnosis.causes.map(({ code }) => code)
      table.push(
        `${name}: ${diagnosis.verdict} ${got} by ${diagnosis.answeredBy.hop} [${diagnosis.causes.map(({ layer }) => layer)}]  wanted ${wanted.verdict} ${wanted.codes.join(' + ')} by ${wanted.answeredBy} [${wanted.layer}]`,
      )
      const wrong = codes.filter((code) => wanted.notCodes.includes(code))
      expect(wrong, 'named as a cause although it is known not to be').toEqual([])
      expect(diagnosis.verdict).toBe(wanted.verdict)
      for (const [index, code] of wanted.codes.entries()) expect(code.split('|')).toContain(codes[index])
      // As many layers as codes: one each. Else they are alternatives for the first cause.
      if (wanted.layer.length === wanted.codes.length)
        for (const [index, layer] of wanted.layer.entries())
          expect(layer.split('|')).toContain(diagnosis.causes[index]?.layer)
      else expect(wanted.layer.flatMap((layer) => layer.split('|'))).toContain(diagnosis.causes[0]?.layer)
      expect(codes.length, 'more causes than there are').toBeLessThanOrEqual(
        Math.max(wanted.codes.length, wanted.verdict === 'suspects' ? 3 : wanted.codes.length),
      )
      expect(wanted.answeredBy.split('|')).toContain(diagnosis.answeredBy.hop)
      const others = diagnosis.otherFindings.map(({ code }) => code)
      for (const code of [...(wanted.alsoNoted ?? []), ...(wanted.unrelated ?? [])])
        expect([...others, ...codes]).toContain(code)
      for (const part of wanted.fixMustKeep ?? []) expect(diagnosis.causes[0]?.fix.statement).toContain(part)
      expect(rules.length).toBeGreaterThan(0)
    })
  }
})
