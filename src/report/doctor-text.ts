import {
  type DoctorReport,
  isUnlearned,
  lossesOf,
  type PermissionCheck,
  type Unlearned,
  worksAlways,
} from './doctor.ts'
import { newPage, type Page, type PageOptions } from './page.ts'

/** The report for a terminal: can a walk look at everything? If not, what is missing and what it costs. */
export function doctorText(report: DoctorReport, options: PageOptions = {}): string {
  const page = newPage(options)
  const losses = lossesOf(report)
  const noCluster = report.cluster.missing !== null
  if (losses.length === 0) page.para('✓ a walk can look at everything it needs', '', '  ', 'good')
  else if (noCluster) page.para('✗ no cluster can be asked', '', '  ', 'bad')
  else
    page.para(
      `? a walk works, and ${losses.length === 1 ? 'one thing is' : `${losses.length} things are`} missing`,
      '',
      '  ',
      'doubt',
    )
  writeTools(page, report)
  writeCluster(page, report)
  if (report.permissions.length > 0) writePermissions(page, report.permissions)
  if (report.environment.length > 0) {
    page.heading('Settings of your shell')
    for (const { name, value, effect } of report.environment) page.item(`${name}=${value}: ${effect}`, '!')
  }
  if (noCluster) {
    page.heading('Works all the same')
    for (const command of worksAlways) page.command(command, '  ')
  }
  return page.done()
}

function writeTools(page: Page, { tools, skew }: DoctorReport): void {
  page.heading('Tools')
  for (const { name, version, missing, lost } of tools) {
    if (missing === null) page.item(`${name} ${version ?? 'of unknown version'}`, '✓')
    else {
      page.item(`${name}: ${missing.detail}`, '✗', 'bad')
      page.para(`costs: ${lost}`, '      ')
    }
  }
  for (const sentence of skew) page.item(sentence, '!', 'doubt')
}

function writeCluster(page: Page, { cluster, dataPlane, accessLog }: DoctorReport): void {
  page.heading('Cluster')
  if (cluster.context !== null) page.item(`context ${cluster.context}`, '✓')
  if (cluster.missing !== null) {
    writeUnlearned(page, 'API server', cluster.missing)
    return
  }
  if (cluster.kubernetesVersion !== null) page.item(`Kubernetes ${cluster.kubernetesVersion}`, '✓')
  if (cluster.istiods.length > 0) page.item(`istiod ${cluster.istiods.join(', ')}`, '✓')
  if (isUnlearned(dataPlane)) writeUnlearned(page, 'data plane', dataPlane)
  else {
    const { mode, sidecarNamespaces, ambientNamespaces, ztunnels } = dataPlane
    const words = {
      sidecar: 'sidecars',
      ambient: 'ambient mode',
      mixed: 'sidecars and ambient mode',
      none: 'no namespace is in the mesh',
    }
    page.item(`data plane: ${words[mode]}`, mode === 'none' ? '!' : '✓')
    if (sidecarNamespaces.length > 0) page.para(`injected: ${sidecarNamespaces.join(', ')}`, '      ')
    if (ambientNamespaces.length > 0)
      page.para(
        `ambient: ${ambientNamespaces.join(', ')}; ${ztunnels} ${ztunnels === 1 ? 'ztunnel' : 'ztunnels'}`,
        '      ',
      )
  }
  if (isUnlearned(accessLog)) writeUnlearned(page, 'access log', accessLog)
  else {
    const { state, because, exceptions } = accessLog
    writeLogState(page, 'access log', state, because)
    for (const { namespace, isPartial, ...own } of exceptions)
      writeLogState(page, `access log of ${isPartial ? 'some workloads in ' : ''}${namespace}`, own.state, own.because)
    if ([state, ...exceptions.map((one) => one.state)].some((one) => one !== 'on'))
      page.para('costs: who answered stays unproven, since only the log of the deciding proxy proves it', '      ')
  }
}

const logWords = { on: 'on', off: 'off', elsewhere: 'on, but not in the containers’ logs' } as const

function writeLogState(page: Page, what: string, state: keyof typeof logWords, because: string): void {
  const isOn = state === 'on'
  page.item(`${what}: ${logWords[state]} (${because})`, isOn ? '✓' : '✗', isOn ? undefined : 'bad')
}

function writeUnlearned(page: Page, what: string, { detail, unlock }: Unlearned): void {
  page.item(`${what}: ${detail}`, '?', 'doubt')
  if (unlock !== null) page.command(unlock, '      ')
}

function writePermissions(page: Page, permissions: readonly PermissionCheck[]): void {
  const allowed = permissions.filter((check) => check.allowed === true)
  const others = permissions.filter((check) => check.allowed !== true)
  page.heading('Permissions')
  page.item(
    `${allowed.length} of ${permissions.length} rights that a walk uses are yours`,
    others.length === 0 ? '✓' : '?',
  )
  for (const { verb, resource, namespace, allowed: answer, needsExec, lost } of others) {
    const where = namespace === null ? 'in all namespaces' : `in ${namespace}`
    page.item(
      `${verb} ${resource} ${where}${answer === null ? ': could not be asked' : ''}`,
      answer === null ? '?' : '✗',
    )
    page.para(`costs: ${lost}${needsExec ? ' (the same as --no-exec)' : ''}`, '      ')
    page.command(canI(verb, resource, namespace), '      ')
  }
  if (others.length > 0) page.para('meshtriage rbac prints the roles to ask for.', '  ')
}

/** kubectl reads `pods/exec` as a pod named exec: a subresource has a flag of its own. */
function canI(verb: string, resource: string, namespace: string | null): string {
  const [plural = '', subresource] = resource.split('/')
  return `kubectl auth can-i ${verb} ${plural}${subresource ? ` --subresource=${subresource}` : ''} ${namespace === null ? '--all-namespaces' : `-n ${namespace}`}`
}
