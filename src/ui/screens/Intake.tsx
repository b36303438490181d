import { type ReactElement, useEffect, useRef, useState } from 'react'
import { emptyGiven, type Given } from '../../model/call.ts'
import { Frame } from '../components/Frame.tsx'
import { Lines } from '../components/Lines.tsx'
import type { PickRow } from '../components/PickList.tsx'
import { type Binding, firstKeys, pickKeys } from '../keys.ts'
import { ends, type Line, lineWidth, span } from '../lines.ts'
import type { Backend, ClusterFacts, WorkloadItem } from '../ports.ts'
import { useScreen } from '../screen.ts'
import { useListing } from '../use-listing.ts'
import {
  type Ask,
  asksOf,
  atPort,
  blindNotice,
  callerRows,
  clusterLine,
  type EndChoice,
  endRows,
  type FirstChoice,
  firstRows,
  knownTexts,
  noClusterNotice,
  withoutSymptom,
} from '../view/intake.ts'
import { symptomWords, targetText } from '../view/wording.ts'
import { Pick } from './Pick.tsx'

interface Props {
  readonly isActive: boolean
  readonly backend: Backend
  readonly facts: ClusterFacts | null
  readonly given: Partial<Given>
  /** Set when the lists come from an archive instead of a cluster. */
  readonly archive: string | null
  readonly flash: string | null
  readonly now: () => number
  readonly onGiven: (given: Partial<Given>) => void
  readonly onStart: (given: Given) => void
  readonly onOther: (choice: Exclude<FirstChoice['do'], 'symptom'>) => void
  readonly onPaste: (text: string) => void
  readonly onHelp: (table: readonly Binding[]) => void
  readonly onFlash: (text: string) => void
  /** A demo of the same symptom, for people without a cluster. */
  readonly onNoCluster: (symptom: Given['symptom']) => void
}

const readsOnly: Line = [span('reads only', 'dim')]

/** What is seen, who calls, who is called. What is known already is not asked. */
export function Intake(props: Props) {
  const { isActive, backend, facts, given, archive, now } = props
  const { width } = useScreen()
  const [skipped, setSkipped] = useState<readonly (Ask | 'port')[]>([])
  const [isOutside, setOutside] = useState(false)
  const [portsOf, setPortsOf] = useState<WorkloadItem | null>(null)
  const asks = asksOf(backend, given.symptom, isOutside)
  const hasSymptom = given.symptom !== undefined && given.symptom !== 'unknown'
  const question = nextQuestion()
  const callers = useListing(backend.listCallers, question === 'from', now)
  const hosts = useListing(backend.listHosts, question === 'host', now)
  const destinations = useListing(backend.listDestinations, question === 'to', now)

  function nextQuestion(): 'symptom' | Ask | 'port' | null {
    if (!hasSymptom && !skipped.length && given.symptom === undefined) return 'symptom'
    // From inside the mesh a host says who is called; from outside only the gateway knows what stands behind it.
    const isKnown = { from: !!given.from, host: !!given.host, to: !!given.to || (!!given.host && asks[0] === 'from') }
    const open = asks.find((ask) => !isKnown[ask] && !skipped.includes(ask))
    if (open) return open
    if (portsOf && given.to && given.to.port === null && !skipped.includes('port')) return 'port'
    return null
  }

  const started = useRef(false)
  const { onStart } = props
  useEffect(() => {
    if (question !== null || started.current || !isActive) return
    started.current = true
    onStart({ ...emptyGiven(given.symptom ?? 'unknown'), ...given })
  })

  const back = () => {
    const before = asks[asks.indexOf(question as Ask) - 1]
    if (question === 'symptom') props.onFlash('q or ctrl-c leaves')
    else if (question === 'port') {
      setPortsOf(null)
      props.onGiven({ ...given, to: null })
    } else if (before) {
      setSkipped(skipped.filter((each) => each !== before && each !== question))
      props.onGiven({ ...given, [before]: null })
    } else if (isOutside) setOutside(false)
    else props.onGiven(withoutSymptom(given))
  }
  const chooseEnd = (end: 'from' | 'to') => (choice: EndChoice) => {
    if (choice.do === 'outside') return setOutside(true)
    if (choice.do !== 'target') return setSkipped([...skipped, end])
    if (end === 'to' && choice.item && choice.item.ports.length > 1) setPortsOf(choice.item)
    const only = end === 'to' && choice.item?.ports.length === 1 ? choice.item.ports[0]?.port : undefined
    const target = only !== undefined && choice.target.port === null ? atPort(choice.target, only) : choice.target
    props.onGiven({ ...given, [end]: target })
  }
  const chooseHost = (choice: EndChoice) => {
    if (choice.do !== 'target') return setSkipped([...skipped, 'host'])
    const { name, namespace } = choice.target
    props.onGiven({ ...given, host: namespace === null ? name : `${name}.${namespace}` })
  }
  const typedAs =
    (detail: string) =>
    (text: string): PickRow<EndChoice>[] => {
      try {
        const target = backend.target(text)
        return [
          {
            id: 'typed',
            label: `use "${text}"`,
            detail,
            value: { do: 'target', target, item: null },
          },
        ]
      } catch {
        // Half a name is no target yet; the row appears when it is one.
        return []
      }
    }
  const typed = typedAs('as typed: NAME.NAMESPACE:PORT')
  const shared = {
    isActive,
    flash: props.flash,
    onPaste: props.onPaste,
    onHelp: () => props.onHelp(question === 'symptom' ? firstKeys : pickKeys),
    onQuit: () => props.onOther('quit'),
    onBack: back,
  }
  const where = archive ? [span(`archive ${archive} · offline`, 'dim')] : clusterLine(facts)
  const isOffline = facts !== null && !facts.reachable && !archive
  const asked = hasSymptom ? `${symptomWords[given.symptom ?? 'unknown']} · ` : ''
  // What is known of the call counts more than which cluster it is.
  const known = [span('meshtriage', 'accent'), span(breadcrumb(given, isOutside), 'plain')]
  const right = [where, readsOnly].find((each) => lineWidth(known) + lineWidth(each) + 2 <= width) ?? []
  const title: Line[] = [ends(known, right, width)]

  // Between the last answer and the first event of the walk the last question stays: a blank frame would flicker.
  const last = useRef<ReactElement | null>(null)
  if (question !== null) last.current = asking(question)
  if (!last.current && !isActive) return null
  return (
    last.current ?? (
      <Frame title={title} flash={props.flash} keys={pickKeys} without={['up', 'choose', 'back', 'help']}>
        {(bodyWidth) => <Lines lines={[[span('getting ready …', 'dim')]]} width={bodyWidth} />}
      </Frame>
    )
  )

  function asking(question: 'symptom' | Ask | 'port'): ReactElement {
    if (question === 'symptom')
      return (
        <Pick
          {...shared}
          key="symptom"
          title={title}
          question={isOffline ? 'What would you like to do?' : 'What do the callers see?'}
          why={
            isOffline
              ? 'A walk needs a cluster; all of this works without one.'
              : 'It decides which layers are looked at, and in which order.'
          }
          notices={archive ? [] : noClusterNotice(facts, width)}
          hints={['Have a log line or curl -v output? Paste it here, it answers most questions.']}
          rows={archive ? firstRows(backend, null).slice(0, backend.symptoms.length) : firstRows(backend, facts)}
          isFirst
          onChoose={(choice: FirstChoice) => {
            if (choice.do !== 'symptom') return props.onOther(choice.do)
            if (isOffline) return props.onNoCluster(choice.id)
            props.onGiven({ ...given, symptom: choice.id })
          }}
        />
      )
    if (question === 'from') {
      const isAnybody = asks.includes('to')
      return (
        <Pick
          {...shared}
          key="from"
          title={title}
          question={isAnybody ? `${asked}who calls?` : `${asked}which workload?`}
          why={
            isAnybody
              ? 'Its proxy decides where requests go, and logs what came back.'
              : 'Its pods, their labels and what should have put a proxy into them are read.'
          }
          notices={blindNotice(callers.listing, callers.waited)}
          rows={callerRows(callers.listing, isAnybody)}
          typed={typed}
          onChoose={chooseEnd('from')}
        />
      )
    }
    if (question === 'host')
      return (
        <Pick
          {...shared}
          key="host"
          title={title}
          question={`${asked}which host do they ask for?`}
          why="The name in the URL: a gateway chooses certificate and route by it."
          notices={blindNotice(hosts.listing, hosts.waited)}
          rows={endRows(hosts.listing)}
          typed={typedAs('as typed, as it stands in the URL')}
          onChoose={chooseHost}
        />
      )
    if (question === 'to')
      return (
        <Pick
          {...shared}
          key="to"
          title={title}
          question={`${asked}who is called?`}
          why="Its Service, its pods and the policies in front of them are read."
          notices={blindNotice(destinations.listing, destinations.waited)}
          rows={endRows(destinations.listing)}
          typed={typed}
          onChoose={chooseEnd('to')}
        />
      )
    return (
      <Pick
        {...shared}
        key="port"
        title={title}
        question={`${asked}which port of ${portsOf?.name ?? 'it'}?`}
        why="Policies, TLS modes and routes may differ from port to port."
        rows={portRows(portsOf)}
        onChoose={(port: number | null) => {
          if (port === null || !given.to) return setSkipped([...skipped, 'port'])
          props.onGiven({ ...given, to: atPort(given.to, port) })
        }}
      />
    )
  }
}

function portRows(item: WorkloadItem | null): PickRow<number | null>[] {
  return [
    ...(item?.ports ?? []).map(({ port, name }) => ({
      id: `${port}`,
      label: `${port}`,
      detail: name ?? 'without a name: the protocol is guessed',
      value: port,
    })),
    { id: 'unknown', label: "I don't know", detail: 'the walk finds out what it can', pinned: true, value: null },
  ]
}

function breadcrumb(given: Partial<Given>, isOutside: boolean): string {
  const known = knownTexts(given)
  if (known.length === 0) return ''
  const call =
    given.from || given.to || given.host
      ? `${targetText(given.from ?? null) ?? (isOutside ? 'outside the cluster' : '?')} → ${targetText(given.to ?? null) ?? given.host ?? '?'}`
      : ''
  return `  ${[given.symptom ? symptomWords[given.symptom] : '', call].filter(Boolean).join('  ')}`
}
