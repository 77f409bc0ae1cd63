// Package templates draws the pages. It is responsible for everything that a
// browser shows: markup, words that never change, and how a status looks.
//
// Every page is one exported view model, XPage, and one exported component, X,
// that draws it: OverviewPage is drawn by Overview. View models are plain
// structs of text that is ready to show: the handler formats, the page only
// places. [TimeAt], [Count], [Took] and [Size] do the formatting, so that a
// time reads the same everywhere.
//
// Invariants, each with its test:
//   - No view model has a field that could carry a secret. The one exception
//     has a name: [RevealedPage]. Secrets travel as [Fingerprint].
//   - A status is a typed value ([Health], [Verdict]) whose Class, Icon and Word
//     belong together, so that no page can show a colour alone.
//   - A page has no inline script, no inline style and no style attribute.
//   - A page works without JavaScript; what scripts add is never the only way.
//   - The package imports nothing internal: there is no type here in which a
//     secret could arrive.
package templates

//go:generate go tool templ generate
