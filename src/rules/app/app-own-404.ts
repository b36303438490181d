import { defineRule } from '../define-rule.ts'
import { ownAnswer } from '../lib/own-answer-hit.ts'

/** The application has no such path. */
export default defineRule({
  code: 'app-own-404',
  layer: 'app',
  severity: 'error',
  explains: ['404'],
  title: 'The application has no such path',
  why: 'A 404 that a proxy passes on unchanged comes from the application: the request arrived, under a path that the application does not serve.',
  needs: [['server.accessLog', 'client.accessLog', 'gateway.accessLog', 'waypoint.accessLog']],
  check: (situation) =>
    ownAnswer(
      situation,
      (code) => code === 404,
      'Check path and method against what the application serves, and whether a route rewrites the path on the way.',
    ),
})
