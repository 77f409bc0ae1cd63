// Package e2e drives the whole program through a real browser, as the people do
// who use it. It has tests only.
//
// A test starts the real program with its own data (start), brings people to it
// (each a browser of their own: own cookies, own window), and says in short
// steps what they do and what they must see:
//
//	house := start(t)
//	ada := house.admin(t)
//	ada.Open("/config/new?connector=intercom")
//	ada.Fill("Client ID", "…")
//	ada.Follow("Save as pending")
//	ada.See("Saved as version 1, pending")
//
// Its invariants: nothing sleeps, every step waits for its condition; and
// nobody's browser may report anything on the side. A message of the console, a
// violation of the content security policy, a failed request, an error status
// that the test did not announce, a line of level ERROR in the program's log:
// each fails the test in which it happens.
//
// The tests need Chromium and fail without it. BACKOFFICE_CHROMIUM names one
// that is not on the PATH.
package e2e
