import { Box, Text } from 'ink'
import { clipLine, type Line } from '../lines.ts'
import { useScreen } from '../screen.ts'
import { styleOf } from '../theme.ts'

interface Props {
  readonly lines: readonly Line[]
  readonly width: number
  /** Fills up with empty lines, cuts what is more. */
  readonly height?: number
}

/** Lines that were made to fit, drawn one a row. */
export function Lines({ lines, width, height = lines.length }: Props) {
  const { colour } = useScreen()
  const shown = Array.from({ length: Math.max(0, height) }, (_, index) => clipLine(lines[index] ?? [], width))
  return (
    <Box flexDirection="column" width={width} flexShrink={0}>
      {shown.map((spans, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place on the screen
        <Text key={row} wrap="truncate">
          {spans.every(({ text }) => text === '')
            ? ' '
            : spans.map((part, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: as above
                <Text key={at} {...styleOf(part.tone, colour)}>
                  {part.text}
                </Text>
              ))}
        </Text>
      ))}
    </Box>
  )
}
