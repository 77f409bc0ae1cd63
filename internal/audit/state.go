package audit

import "context"

// A State is how the log stands, for Settings and metrics.
type State struct {
	Events  int64      // in the log
	Head    Checkpoint // the last that was signed; its Note is nil if there is none
	Check   CheckState // of the whole log, since the program started
	Anchors []AnchorState
	Ship    *ShipState    // nil: events are not shipped
	Archive *ArchiveState // nil: events are not archived
}

// Alarms are what does not hold, in words: each needs a person.
func (s State) Alarms() (out []string) {
	if s.Check.Fault != "" {
		out = append(out, s.Check.Fault)
	}
	for _, a := range s.Anchors {
		if a.Alarm != "" {
			out = append(out, a.Place+": "+a.Alarm)
		}
	}
	return out
}

// A Watch has what works on the log beside the changes. Checker and Anchors are
// needed; Shipper and Archiver may be nil.
type Watch struct {
	Notary   *Notary
	Checker  *Checker
	Anchors  *Anchors
	Shipper  *Shipper
	Archiver *Archiver
}

// State is how the log stands now. It costs one read.
func (w Watch) State(ctx context.Context) (State, error) {
	size, err := w.Notary.log.Size(ctx)
	if err != nil {
		return State{}, err
	}
	s := State{Events: size, Head: w.Notary.Last(), Check: w.Checker.State(), Anchors: w.Anchors.State()}
	if w.Shipper != nil {
		ship := w.Shipper.State()
		s.Ship = &ship
	}
	if w.Archiver != nil {
		archive := w.Archiver.State()
		s.Archive = &archive
	}
	return s, nil
}
