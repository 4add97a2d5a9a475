import { runPackages } from './program.js'

// The script of a page: what the packages say becomes its text.
declare const document: { readonly body: { textContent: string } }

try {
  document.body.textContent = JSON.stringify(runPackages())
} catch (error) {
  document.body.textContent = JSON.stringify({ error: String(error), stack: (error as Error).stack })
}
