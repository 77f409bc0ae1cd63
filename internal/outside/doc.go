// Package outside finds out whether our own public URL brings to us, unchanged,
// what is sent to it. Many refused redirects are our own: a proxy changes the
// scheme, the host, the path or the query on the way in, and the provider is
// blamed for it.
//
// A [Checker] sends requests with one-time nonces to the public URL that the
// operator configured, never to an address of a request, and compares what the
// program then sees with what was sent. Where the server cannot reach itself,
// as behind some routers, the browser of an admin does it: a [Visit].
//
// Invariants:
//   - Only the configured public URL is called, through egress, and no redirect
//     is followed.
//   - A nonce is signed, accepted once, for ten minutes, and one of a visit only
//     from the session that began it. Without one, nothing here answers.
//   - What was looked at and does not decide is Inconclusive; what was not
//     looked at is NotChecked; neither is called OK.
//   - A report is kept together with its audit event, or not at all.
//
// Records, by store key:
//
//	outside/last   the last Report, as JSON
package outside
