package oauth

import "context"

// examine asks everything that can be asked without consent.
func (d *diagnosis) examine(ctx context.Context) {
	d.report.Verdict, d.report.Headline = Inconclusive, "Nothing was decided"
	d.tell("Compare what was told")
}
