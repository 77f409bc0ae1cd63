package oauth

import (
	"context"
	"fmt"
	"slices"

	"backoffice/internal/config"
)

// values looks at the values themselves, before anything is sent: what is odd
// about one is often all there is to find.
func (d *diagnosis) values(ctx context.Context) {
	name := "Look at the values here"
	d.tell(name)
	st := Step{Name: name, Verdict: OK, Hint: "nothing odd", Why: "Nothing about the values looks like a mistake of copying. Nothing was sent for that."}
	var err error
	d.timed(&st, func() { d.doubts, err = d.service.config.Doubts(ctx, d.report.Entry, d.version) })
	if err != nil {
		st.Verdict, st.Hint, st.Why = NotChecked, "not looked at", "The values could not be compared with those of the other entries. The test goes on without it."
		d.add(st)
		return
	}
	if d.report.Rehearsal { // the sandbox has one app for all
		d.doubts = slices.DeleteFunc(d.doubts, func(x config.Doubt) bool { return x.Kind == config.SharedValue })
	}
	if n := len(d.doubts); n > 0 {
		st.Verdict, st.Hint = Warning, fmt.Sprintf("%d to look at", n)
		st.Why = "This is only how the values look; what the provider says of them is below."
	}
	for _, x := range d.doubts {
		st.Why += " " + d.scrub.clean(x.Key+": "+x.Words(), maxOwnURL)
	}
	d.add(st)
}

// doubted adds what looks odd about a value to the remedy for it: it is likely
// the cause.
func (d *diagnosis) doubted(key, remedy string) string {
	for _, x := range d.doubts {
		if x.Key == key {
			remedy += " " + d.scrub.clean(x.Words(), maxOwnURL)
		}
	}
	return remedy
}
