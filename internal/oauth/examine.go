package oauth

import "context"

// examine asks everything that can be asked without consent, in the order in
// which a failure spares the rest.
func (d *diagnosis) examine(ctx context.Context) {
	d.values(ctx)
	d.ourAddress(ctx)
	if d.reach(ctx) {
		d.discover(ctx)
		d.probes(ctx)
		if !d.stopped {
			d.doors(ctx)
		}
	}
	d.decide()
}

// end stops the questions. The first reason counts.
func (d *diagnosis) end(s stopping) {
	d.stopped = true
	if d.stop == nil {
		d.stop = &s
	}
}
