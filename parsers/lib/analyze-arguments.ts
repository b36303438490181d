/**
 * The arguments of an analyzer's message, where its wording is known. Only the words around the arguments are matched,
 * so that a release may reword the advice behind them. Names are those of Istio's own message catalogue.
 */
const wordings: Readonly<Record<string, RegExp>> = {
  IST0002: /^Deprecated: (?<detail>.*)/s,
  IST0101: /^Referenced (?<reftype>.+?) not found: "(?<refval>.*)"$/s,
  IST0102: /label namespace (?<namespace>\S+) /,
  IST0103: /^The pod (?<podName>\S+) /,
  IST0106: /^Schema validation error: (?<err>.*)/s,
  IST0107: /annotation: (?<annotation>\S+) can only be applied to (?<kind>.+)/,
  IST0108: /annotation: (?<annotation>\S+)/,
  IST0109: /^The VirtualServices (?<virtualServices>.+?) associated .*? host (?<host>\S+) /,
  IST0110:
    /^The Sidecars (?<conflictingSidecars>.+?) in namespace "(?<namespace>[^"]*)" .*?pod "(?<workloadPod>[^"]*)"/,
  IST0111: /^The Sidecars (?<conflictingSidecars>.+?) in namespace "(?<namespace>[^"]*)"/,
  IST0112: /service "(?<destHost>[^"]*)" .*?ports (?<destPorts>\[[^\]]*\])/,
  IST0116: /deployment (?<deployment>\S+) .*?port (?<port>\d+) .*?: (?<services>.+)/,
  IST0118: /^Port name (?<portName>\S*) \(port: (?<port>\d+), targetPort: (?<targetPort>[^)]*)\)/,
  IST0122: /^Field "(?<where>[^"]*)" .*?invalid: "(?<re>.*)" \((?<problem>[^)]*)\)/,
  IST0123: /labels (?<labels>\[[^\]]*\])/,
  IST0125: /annotation (?<annotation>\S+): (?<problem>.*)/,
  IST0127: /following labels: (?<labels>.*)/,
  IST0128:
    /^DestinationRule (?<destinationrule>\S+) in namespace (?<namespace>\S+) .*?mode set to (?<mode>\S+) .*?host: (?<host>\S+)/,
  IST0129:
    /^DestinationRule (?<destinationrule>\S+) in namespace (?<namespace>\S+) .*?mode set to (?<mode>\S+) .*?host: (?<host>\S+) at port (?<port>\S+)/,
  IST0130: /rule (?<ruleno>\S+) not used \((?<reason>.*)\)/,
  IST0131: /rule (?<ruleno>\S+) match (?<matchno>\S+) .*?in rule (?<dupno>[^)\s]+)/,
  IST0132: /host (?<host>.+?) defined in VirtualService (?<virtualservice>\S+) .*?Gateway (?<gateway>\S+?)\.?$/,
  IST0133: /^Schema validation warning: (?<err>.*)/s,
  IST0135: /^Annotation "(?<annotation>[^"]*)"/,
  IST0136: /^Annotation "(?<annotation>[^"]*)"/,
  IST0137:
    /deployment (?<deployment>\S+) .*?services (?<services>.+?) using targetPort "(?<targetPort>[^"]*)" .*?ports: (?<ports>.+?)\.?$/,
  IST0138: /gateways (?<gateways>\[[^\]]*\]|\S+)/,
  IST0139: /^(?<error>.*)/s,
  IST0140: /virtual service (?<virtualservicesubset>\S+) .*?gateway (?<virtualservice>\S+) /,
  IST0145:
    /gateways (?<gateway>.+?) \(workload selector (?<selector>.*?), port (?<portnumber>.*?), hosts (?<hosts>.*)\)/,
  IST0149: /\(key: (?<key>[^)]*)\).*?gateway \((?<gateway>[^)]*)\).*?pod \((?<pod>[^)]*)\)/,
  IST0157: /Telemetry (?<name>\S+) in namespace "(?<namespace>[^"]*)"/,
  IST0158: /pod names: (?<podNames>[^)]*)\)/,
  IST0159:
    /^The Telemetries (?<conflictingTelemetries>.+?) in namespace "(?<namespace>[^"]*)" .*?pod "(?<workloadPod>[^"]*)"/,
  IST0160: /^The Telemetries (?<conflictingTelemetries>.+?) in namespace "(?<namespace>[^"]*)"/,
  IST0161: /Gateway (?<gatewayName>\S+) in namespace (?<gatewayNamespace>\S+) /,
  IST0162: /\(port (?<port>\d+)\).*?\(Pod selector (?<selector>[^)]*)\)/,
  IST0165: /VirtualService (?<virtualservice>\S+) .*?Gateway: (?<gateway>\S+?)\.?$/,
  IST0166: /Gateway (?<gateway>\S+?)\. /,
  IST0167: /no impact: (?<reason>.*?)\.?$/s,
  IST0170:
    /^The service (?<serviceName>\S+) in namespace "(?<namespace>[^"]*)" .*?clusters (?<clusters>.+?), .*?are: (?<error>.*?)\.?$/s,
  IST0171: /type=(?<conditionType>[^,]*), reason=(?<reason>[^,]*), message=(?<message>.*?)\.?$/s,
  IST0173: /Subset (?<subset>\S+) /,
  IST0174: /host (?<host>\S+) /,
  IST0175: /but (?<count>\d+) .*?\((?<names>[^)]*)\)/,
  IST0176: /CRD "(?<crd>[^"]*)" is at version "(?<installedVersion>[^"]*)" .*?at least "(?<minimumVersion>[^"]*)"/,
  IST0177: /\((?<serviceEntryNames>[^)]*)\) .*?host "(?<host>[^"]*)" and port (?<port>\d+) .*?\((?<protocols>[^)]*)\)/,
}

/** By name; empty for codes and wordings that are not known. */
export function argumentsOf(code: string, message: string): Record<string, string> {
  // Longer than any message of istioctl: hostile text must not meet these patterns.
  if (message.length > 4000) return {}
  const groups = wordings[code]?.exec(message)?.groups ?? {}
  return Object.fromEntries(Object.entries(groups).filter(([, value]) => value !== undefined))
}
