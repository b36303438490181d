import { type Document, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { type Condition, Runbook } from '../model/runbook.ts'

export interface Problem {
  readonly line: number
  readonly column: number
  readonly message: string
}

export type RunbookReading =
  | { readonly runbook: Runbook; readonly problems: readonly [] }
  | { readonly runbook: null; readonly problems: readonly Problem[] }

/** What a runbook may name. */
export interface Catalogue {
  /** `server.accessLog`, … */
  readonly evidenceKeys: ReadonlySet<string>
  readonly ruleCodes: ReadonlySet<string>
}

/** Reads and checks a runbook; every problem says where it is. */
export function readRunbook(text: string, catalogue: Catalogue): RunbookReading {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const at = (offset: number, message: string): Problem => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col, message }
  }
  if (document.errors.length > 0) {
    return {
      runbook: null,
      problems: document.errors.map((error) => at(error.pos[0], error.message.split('\n', 1)[0] ?? 'no YAML')),
    }
  }
  const parsed = Runbook.safeParse(document.toJS())
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) =>
      at(offsetOf(document, issue.path), `${issue.path.join('.') || 'runbook'}: ${issue.message}`),
    )
    return { runbook: null, problems }
  }
  const problems = checkRunbook(parsed.data, catalogue).map(({ path, message }) =>
    at(offsetOf(document, path), message),
  )
  return problems.length > 0 ? { runbook: null, problems } : { runbook: parsed.data, problems: [] }
}

interface Finding {
  readonly path: readonly (string | number)[]
  readonly message: string
}

function checkRunbook(runbook: Runbook, catalogue: Catalogue): Finding[] {
  const found: Finding[] = []
  const ids = runbook.steps.map(({ id }) => id)
  const questions = new Map(
    runbook.steps.flatMap(({ ask }) => (ask ? [[ask.id, new Set(ask.choices.map(({ id }) => id))] as const] : [])),
  )
  runbook.steps.forEach((step, index) => {
    const path = ['steps', index]
    if (ids.indexOf(step.id) !== index)
      found.push({ path: [...path, 'id'], message: `two steps are called ${step.id}` })
    if (step.id === 'diagnosis' || step.id === 'sweep')
      found.push({ path: [...path, 'id'], message: `${step.id} is the engine's own word` })
    step.collect.forEach((key, position) => {
      if (!catalogue.evidenceKeys.has(key))
        found.push({ path: [...path, 'collect', position], message: `no such evidence: ${key}` })
    })
    if (step.ask && !step.ask.choices.some(({ id }) => id === 'unknown'))
      found.push({ path: [...path, 'ask'], message: 'a question needs the choice `unknown`' })
    step.next.forEach((branch, position) => {
      const here = [...path, 'next', position]
      const isLast = position === step.next.length - 1
      if (isLast && branch.when)
        found.push({ path: here, message: 'the last branch has no `when`: there must always be a way on' })
      if (!isLast && !branch.when) found.push({ path: here, message: 'a branch without `when` hides those behind it' })
      if (branch.goto !== 'diagnosis' && !ids.includes(branch.goto))
        found.push({ path: [...here, 'goto'], message: `no step is called ${branch.goto}` })
      if (branch.when)
        for (const message of checkCondition(branch.when, catalogue, questions))
          found.push({ path: [...here, 'when'], message })
    })
  })
  const reached = reachable(runbook)
  runbook.steps.forEach((step, index) => {
    if (!reached.has(step.id)) found.push({ path: ['steps', index], message: `no branch leads to step ${step.id}` })
    if (!leadsOut(runbook, step.id))
      found.push({ path: ['steps', index], message: `from step ${step.id} no way leads to the diagnosis` })
  })
  return found
}

function checkCondition(
  condition: Condition,
  catalogue: Catalogue,
  questions: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  if (condition.found !== undefined)
    return catalogue.ruleCodes.has(condition.found) ? [] : [`no rule is called ${condition.found}`]
  if (condition.missing !== undefined)
    return catalogue.evidenceKeys.has(condition.missing) ? [] : [`no such evidence: ${condition.missing}`]
  if (condition.answer !== undefined) {
    const [question = '', choice = ''] = condition.answer.split(':')
    const choices = questions.get(question)
    if (!choices) return [`no question is called ${question}`]
    return choices.has(choice) ? [] : [`question ${question} has no choice ${choice}`]
  }
  const parts = condition.all ?? condition.any ?? (condition.not ? [condition.not] : [])
  return parts.flatMap((part) => checkCondition(part, catalogue, questions))
}

function reachable(runbook: Runbook): ReadonlySet<string> {
  const reached = new Set<string>()
  const visit = (id: string) => {
    const step = runbook.steps.find((one) => one.id === id)
    if (!step || reached.has(id)) return
    reached.add(id)
    for (const { goto } of step.next) visit(goto)
  }
  visit(runbook.steps[0]?.id ?? '')
  return reached
}

/** Conditions can hold again and again, so the way taken when none holds has to end. */
function leadsOut(runbook: Runbook, start: string): boolean {
  const seen = new Set<string>()
  let id = start
  while (id !== 'diagnosis') {
    if (seen.has(id)) return false
    seen.add(id)
    const next = runbook.steps.find((step) => step.id === id)?.next.at(-1)
    if (!next) return false
    id = next.goto
  }
  return true
}

/** Where in the text a path of the data stands; the nearest parent where the key itself is missing. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
      if (!pair) return offset
      node = pair.value
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset
    } else if (isSeq(node)) {
      node = node.items[Number(key)]
    } else return offset
    if (isNode(node) && node.range && !isMap(node)) offset = node.range[0]
    else if (isNode(node) && node.range && typeof key === 'number') offset = node.range[0]
  }
  return offset
}
