import type { AnyRule } from '../../model/finding.ts'
import auth401FromAppOrIdp from './auth-401-from-app-or-idp.ts'
import jwtAudience403 from './jwt-audience-403.ts'
import jwtExpiredOrClock from './jwt-expired-or-clock.ts'
import jwtIssuerNotConfigured from './jwt-issuer-not-configured.ts'
import jwtJwksUnreachable from './jwt-jwks-unreachable.ts'
import jwtKidRotation from './jwt-kid-rotation.ts'
import jwtRejected from './jwt-rejected.ts'
import requestAuthNotEnforced from './request-auth-not-enforced.ts'

export const requestAuthnRules: readonly AnyRule[] = [
  auth401FromAppOrIdp,
  jwtAudience403,
  jwtExpiredOrClock,
  jwtIssuerNotConfigured,
  jwtJwksUnreachable,
  jwtKidRotation,
  jwtRejected,
  requestAuthNotEnforced,
]
