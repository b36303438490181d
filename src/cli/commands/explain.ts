import type { CliCommand } from '../program.ts'

const command: CliCommand = { name: 'explain', register: () => undefined }
export default command
