import { defineRule } from '../define-rule.ts'
import { ownAnswer } from '../lib/own-answer-hit.ts'

/** The application itself answers with a server error. */
export default defineRule({
  code: 'app-own-5xx',
  layer: 'app',
  severity: 'error',
  explains: ['500', '502', '503', '504'],
  title: 'The application itself answers with a server error',
  why: 'An answer that a proxy passes on unchanged comes from the application. Nothing in the mesh made it, and nothing in the mesh can repair it.',
  needs: [['server.accessLog', 'client.accessLog', 'gateway.accessLog', 'waypoint.accessLog']],
  check: (situation) =>
    ownAnswer(
      situation,
      (code) => code >= 500,
      'Look at the application’s own log at these times; what it calls itself may be what fails.',
    ),
})
