import type { AdminViews, Page } from './page.js'

const STYLE = 'body{font:15px/1.5 system-ui,sans-serif;margin:2em;max-width:60em}td{padding:.2em 1em .2em 0}button{font:inherit}'

/** The commands, for a browser: what only shows is a link, what changes something is a button. */
export function homePage(pages: readonly Page[], { node, state, version }: AdminViews): string {
  const rows = pages.map(({ path, help, mutates }) => {
    const command = mutates
      ? `<form method="post" action="${path}"><button>${path}</button></form>`
      : `<a href="${path}">${path}</a>`
    return `<tr><td>${command}</td><td>${escapeHtml(help)}</td></tr>`
  })
  return `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Heddle proxy admin</title>
  <style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(node.id ?? 'a proxy')}</h1>
<p>${escapeHtml(version)}, ${state}</p>
<table>
${rows.join('\n')}
</table>
</body>
</html>
`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character)
