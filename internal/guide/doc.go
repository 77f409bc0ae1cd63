// Package guide knows which steps of setting an app up at its provider are done,
// and what shows it.
//
// [Judge] is a pure function of the definition's steps, the [Facts] that other
// rooms know, and what people ticked by hand. Evidence holds for as long as the
// values on which it rests are those of the version that counts, told by their
// fingerprints; when one of them changes, the step un-ticks itself and says so.
// What a test found wrong stands above any tick.
//
// What people say by hand is kept, each change with its audit event in the same
// transaction (invariant 1). Records, by store key:
//
//	guide/hand/<entry>   Hand
package guide
