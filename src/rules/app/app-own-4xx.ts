import { defineRule } from '../define-rule.ts'
import { ownAnswer } from '../lib/own-answer-hit.ts'

/** The application itself refuses the request. */
export default defineRule({
  code: 'app-own-4xx',
  layer: 'app',
  severity: 'error',
  explains: ['400', '413', '426', '429', '431'],
  title: 'The application itself refuses the request',
  why: 'An answer that a proxy passes on unchanged comes from the application: the request arrived, and the application did not like it.',
  needs: [['server.accessLog', 'client.accessLog', 'gateway.accessLog', 'waypoint.accessLog']],
  check: (situation) =>
    ownAnswer(
      situation,
      (code) => code >= 400 && code < 500,
      'Look at what the application says about the request: its limits, its quota, its idea of a valid request.',
    ),
})
