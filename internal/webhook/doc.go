// Package webhook receives the notifications of providers: it verifies over the
// raw bytes who signed them, keeps them before they are acknowledged, and
// explains why a signature does not hold.
//
// Verifying ([Verify], [Explain], [Read], [Redact], [Sign]) is pure: a definition,
// values and a request in, a result out. A [Service] keeps what came.
//
// What holds:
//   - Receive returns only when the notification is durable: what was answered
//     with 200 is there after a crash. Explaining, pruning and telling those who
//     watch come after the answer.
//   - A body is kept as it came, sealed, and opens only under its own key. No
//     header with a credential is kept.
//   - Accepted are the secrets of the current version, of the pending one, and of
//     the previous one until its deadline, which is looked at each time.
//   - Of each entry at most [Keep] is kept, and refused and repeated ones have a share
//     of their own: however much junk comes, or of what somebody saw once, it takes no
//     good notification's place.
//   - What has an entry's signature is kept with that entry, and is deleted with it
//     in the same transaction.
//
// Records, by store key:
//
//	webhook/note/<id>         Notification without its body; ids are in the order of arrival
//	webhook/body/<id>         its body, sealed for this key
//	webhook/of/<owner>/<n>    mark: which notification is the n-th of an owner, and what
//	                          pruning and recognising repetitions need to know of it
//	webhook/span/<owner>      span: which n may be in use, so that all of an owner can be
//	                          deleted with point reads
//
// All keys but the last are written in ascending order, so that a burst fills pages
// at the ends of three ranges and touches no other.
package webhook
