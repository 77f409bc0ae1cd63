// Package oauth makes the handshake with a provider, as an admin who tests a
// connection sees it: first without anybody's consent, to name what is wrong, and
// then the authorization-code flow of RFC 6749, with PKCE (RFC 7636) where the
// definition asks for it, once, with a real person's consent.
//
// A diagnosis asks the provider a few questions that differ in one thing each,
// and compares the answers:
//
//	POST /config/{id}/test
//	  │ Diagnose: takes a lease (limits.go), and writes the event test.diagnose
//	  ▼
//	under way (live.go), whatever becomes of the request that started it
//	  │ values   what looks odd about the values themselves
//	  │ own      whether our own public address brings the browser back
//	  │ reach    name, connection and certificate of both addresses
//	  │ discover the provider's metadata document
//	  │ probes   token address: S, S′, B, A (compare.go), with a code that cannot be right
//	  │ doors    authorize address, without cookies: D, E, F (landing.go)
//	  ▼
//	decided (decide.go, a pure function of the answers)
//	  │ keep: one transaction writes the report, what the run cost, and test.verdict
//	  ▼
//	/config/{id}/test/{report}
//
// A consent run is a state machine. Its states are records, its arrows are
// requests of one browser:
//
//	POST /config/{id}/test
//	  │ Start: writes oauth/flow/<hash of state>, oauth/started/<id>,
//	  │ and the event test.start
//	  ▼
//	open ── 303 ──► the provider's authorize URL, with state and redirect_uri
//	  │                 │ the person consents, denies, or goes away
//	  │                 ▼
//	  │             GET /auth/{service}/callback?code=…&state=…
//	  │                 │ Callback: one transaction deletes the flow,
//	  │                 │ and leaves oauth/spent/<hash of state>
//	  │                 ├──► refused: unknown, used before, expired, of another browser
//	  │                 │    session, service or content. An error page; no code is sent
//	  ▼                 ▼
//	expired,          taken
//	removed by          │ exchange: POST token URL, one attempt
//	Sweep               │ identity: GET identity URL with the token
//	                    │ probe: GET each probe of the definition, some at a time, then
//	                    │ the token is dropped; weigh (grant.go) says what was granted
//	                    ▼
//	                  reported: one transaction writes oauth/report/<id>/<report>,
//	                    the lists below, and the event test.finish
//	                    ▼
//	                  303 ──► /config/{id}/test/{report}
//
// As soon as the flow is taken, whatever goes wrong is a report with a verdict,
// not an error. [Service.TestToken] is the last part alone: the identity call
// and the probes with a token that somebody pasted.
//
// Invariants:
//   - 5: a state token is accepted once. The transaction that accepts it deletes
//     it. It is bound to the browser session, the service, the version and its
//     content hash, lives ten minutes, and only its SHA-256 is stored.
//   - 7: verdicts are honest. In a consent run a field is OK only if an issued
//     token proves it, and Wrong only if the provider named it. In a diagnosis
//     both rest on a comparison of answers; what an answer says of itself can
//     keep a field from OK, and never makes it so. When the evidence does not
//     decide, the verdict is Inconclusive and its reason says so.
//   - A diagnosis never sends a code that a provider gave, makes at most
//     Limits.Calls calls, and ends at the first sign that it is not welcome.
//   - 2: no secret leaves. A code is sent once, to the token URL. The access
//     token lives in the calls of one run. What a provider answers is parsed,
//     never kept whole: the named fields of it are searched for every secret of
//     the run, stripped and cut.
//
// Records, by store key:
//
//	oauth/flow/<hash>            flow, its PKCE verifier sealed for this key
//	oauth/spent/<hash>           that a state was used; for a day, to say so
//	oauth/started/<id>           Started, until its flow is taken; for a day
//	oauth/report/<id>/<report>   Report
//	oauth/grants/<id>            the GrantRun of each of the last 20 runs that found out about permissions
//	oauth/reports/<id>           the Summary of each of the last 50, newest first
//	oauth/health/<id>            the Summary that counts, one a content hash
//	oauth/calibration/<id>       how the provider answered when a test proved the credentials, as keyed hashes
//	oauth/radar/<id>             what the radar knows of an entry, and when its next turn is
//	oauth/radar-pause            whether people want nothing sent unattended
//	oauth/radar-generation       rises with every record of the radar
//	oauth/pace/entry/<id>, oauth/pace/host/<host>
//	                             what diagnoses cost, and until when the next one waits
//	oauth/generation             rises with every report, and when the radar turns; see Service.Health
//
// Everything that a provider does differently is data in its
// connector.Definition; no provider has a line of code here.
package oauth
