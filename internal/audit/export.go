package audit

import (
	"archive/zip"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"time"

	"backoffice/internal/store"

	"golang.org/x/mod/sumdb/tlog"
)

// The files of an export. Their form is in docs/audit-format.md.
const (
	eventsFile   = "events.jsonl"
	proofsFile   = "proofs.txt"
	headFile     = "checkpoint.txt"
	keyFile      = "key.txt"
	manifestFile = "manifest.txt"
)

// The first member of every manifest: of what has all events or chosen ones, and
// of what has those from one number on.
const (
	exportFormat = "backoffice-audit-export/1"
	partFormat   = "backoffice-audit-part/1"
)

// A Manifest is what an export says of itself. It is signed as a note, so that
// a filtered export, too, is as it was made.
type Manifest struct {
	Format string    `json:"format"`
	Log    string    `json:"log"`  // name of the key
	Kind   string    `json:"kind"` // "all", "filtered" or "part"
	Made   time.Time `json:"made"`
	Size   int64     `json:"size"`           // events in the tree of the head
	Events int64     `json:"events"`         // lines of events.jsonl
	From   int64     `json:"from,omitempty"` // the first event; if part
	Edge   []string  `json:"edge,omitempty"` // hashes of the perfect trees before it, the largest first; if part
	Filter *Choice   `json:"filter,omitempty"`
	SHA256 string    `json:"sha256,omitempty"` // of events.jsonl, in hex; if filtered
}

// A Choice is a Filter in a manifest.
type Choice struct {
	Who     string    `json:"who,omitempty"`
	Action  Action    `json:"action,omitempty"`
	Target  string    `json:"target,omitempty"`
	Outcome Outcome   `json:"outcome,omitempty"`
	Addr    string    `json:"addr,omitempty"`
	Text    string    `json:"text,omitempty"`
	From    time.Time `json:"from,omitzero"`
	To      time.Time `json:"to,omitzero"`
}

func (f Filter) choice() *Choice {
	return &Choice{Who: f.Who, Action: f.Action, Target: f.Target, Outcome: f.Outcome, Addr: f.Addr, Text: f.Text, From: f.From.UTC(), To: f.To.UTC()}
}

func (c Choice) filter() Filter {
	return Filter{Who: c.Who, Action: c.Action, Target: c.Target, Outcome: c.Outcome, Addr: c.Addr, Text: c.Text, From: c.From, To: c.To}
}

// Chooses reports whether the filter leaves anything out, beside what belongs to a page.
func (f Filter) Chooses() bool { return !f.All() }

// All reports whether the filter chooses every event. Before and Limit belong to
// a page.
func (f Filter) All() bool {
	return f.Only == nil && *f.choice() == Choice{}
}

// An Exporting says who exports what. Its event is in what is exported.
type Exporting struct {
	By     Actor
	Filter Filter // Before and Limit do not count
	Note   string // of the event: how it was done
	Live   bool   // only what is not in archive files; without a Filter
}

// words are the note of the event, with the filter.
func (x Exporting) words() (string, error) {
	if x.Filter.All() {
		return x.Note, nil
	}
	b, err := json.Marshal(x.Filter.choice())
	return fmt.Sprintf("%s Filter: %s.", x.Note, b), err
}

// Export writes a zip of the events that the filter chooses, with a signed head
// and with what proves that each of them is in its tree, so that anybody with
// the public key can check it: see Verify. That it was exported is an event, and
// commits first. It holds a few hundred events in memory, however many there are,
// and keeps no snapshot open. If it returns an error, what it wrote is no export.
func (n *Notary) Export(ctx context.Context, w io.Writer, x Exporting) (Manifest, error) {
	head, err := n.begin(ctx, x)
	if err != nil {
		return Manifest{}, err
	}
	z := zipTo(w)
	m := Manifest{Format: exportFormat, Log: n.key.Name(), Kind: "all", Made: head.Time, Size: head.Size}
	switch {
	case x.Live:
		m, err = n.exportLive(ctx, z, head)
	case x.Filter.All():
		m.Events = head.Size
		err = n.exportAll(ctx, z, head, frontier{}, nil)
	default:
		m.Kind, m.Filter = "filtered", x.Filter.choice()
		err = n.exportSome(ctx, z, walk{filter: x.Filter, size: head.Size, head: &head}, &m)
	}
	if err == nil {
		err = n.close(z, head, m)
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("exporting the audit log: %w", err)
	}
	return m, nil
}

// begin records that there is an export, and signs a head over that.
func (n *Notary) begin(ctx context.Context, x Exporting) (Checkpoint, error) {
	note, err := x.words()
	if err != nil {
		return Checkpoint{}, err
	}
	if err := Record(ctx, n.store, Event{Time: n.now(), Actor: x.By, Action: LogExported, Outcome: Done, Note: note}); err != nil {
		return Checkpoint{}, err
	}
	return n.Checkpoint(ctx)
}

func zipTo(w io.Writer) *zip.Writer {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	return z
}

// part writes a whole export of the events from the edge up to the head, and
// notes their times.
func (n *Notary) part(ctx context.Context, w io.Writer, head Checkpoint, edge frontier, v *volume) error {
	z := zipTo(w)
	m := n.manifestOf(head, edge)
	err := n.exportAll(ctx, z, head, edge, func(one found) error {
		e, err := decode(one.leaf, one.n)
		if v.Last = e.Time; one.n == v.From {
			v.First = e.Time
		}
		return err
	})
	if err != nil {
		return err
	}
	return n.close(z, head, m)
}

// manifestOf describes the events from the edge up to the head.
func (n *Notary) manifestOf(head Checkpoint, edge frontier) Manifest {
	m := Manifest{Format: partFormat, Log: n.key.Name(), Kind: KindPart, Made: head.Time, Size: head.Size, Events: head.Size - edge.size, From: edge.size}
	for _, h := range edge.hashes {
		m.Edge = append(m.Edge, h.String())
	}
	return m
}

func (n *Notary) exportLive(ctx context.Context, z *zip.Writer, head Checkpoint) (m Manifest, err error) {
	var edge frontier
	err = n.store.View(ctx, func(r store.Reader) error {
		from, err := dropped(r)
		if err == nil {
			edge, err = edgeAt(r, from)
		}
		return err
	})
	if err != nil {
		return m, err
	}
	return n.manifestOf(head, edge), n.exportAll(ctx, z, head, edge, nil)
}

// exportAll writes the events from the edge of a tree up to the head, and calls
// also, if it is not nil, with each.
func (n *Notary) exportAll(ctx context.Context, z *zip.Writer, head Checkpoint, tree frontier, also func(found) error) error {
	events, err := member(z, eventsFile, head.Time)
	if err != nil {
		return err
	}
	var hasher leafHasher
	err = n.log.each(ctx, walk{from: tree.size, size: head.Size}, func(one found) error {
		tree.add(hasher.hash(one.leaf))
		if also != nil {
			if err := also(one); err != nil {
				return err
			}
		}
		_, err := events.Write(append(one.leaf, '\n'))
		return err
	})
	if err == nil && tree.root() != head.Root {
		return forked("An event was changed after it was written.")
	}
	return err
}

// spool is where the proofs wait until the events are written: a zip is written
// one file after the other. They are walked a second time instead.
func (n *Notary) exportSome(ctx context.Context, z *zip.Writer, w walk, m *Manifest) error {
	sum := sha256.New()
	if err := n.chosen(ctx, z, w, m, sum); err != nil {
		return err
	}
	m.SHA256 = fmt.Sprintf("%x", sum.Sum(nil))
	proofs, err := member(z, proofsFile, m.Made)
	if err != nil {
		return err
	}
	var before tlog.RecordProof
	return n.log.each(ctx, w, func(one found) error {
		_, err := proofs.Write(proofLine(one.n, one.proof, before))
		before = one.proof
		return err
	})
}

func (n *Notary) chosen(ctx context.Context, z *zip.Writer, w walk, m *Manifest, sum hash.Hash) error {
	events, err := member(z, eventsFile, m.Made)
	if err != nil {
		return err
	}
	w.head = nil // proven in the second walk
	return n.log.each(ctx, w, func(one found) error {
		m.Events++
		line := append(one.leaf, '\n')
		sum.Write(line)
		_, err := events.Write(line)
		return err
	})
}

// proofLine is a line of proofs.txt: the number of the event, how many hashes at
// the end of its proof are those of the line before, and the others. Most of the
// way to the root is that of the event before.
func proofLine(n int64, proof, before tlog.RecordProof) []byte {
	kept := 0
	for kept < len(proof) && kept < len(before) && proof[len(proof)-1-kept] == before[len(before)-1-kept] {
		kept++
	}
	line := fmt.Appendf(nil, "%d %d", n, kept)
	for _, h := range proof[:len(proof)-kept] {
		line = append(append(line, ' '), h.String()...)
	}
	return append(line, '\n')
}

// close writes the small files and ends the archive.
func (n *Notary) close(z *zip.Writer, head Checkpoint, m Manifest) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	manifest, err := n.signer.note(string(text) + "\n")
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{{headFile, head.Note}, {keyFile, []byte(n.Key() + "\n")}, {manifestFile, manifest}} {
		w, err := member(z, f.name, head.Time)
		if err != nil {
			return err
		}
		if _, err := w.Write(f.content); err != nil {
			return err
		}
	}
	return z.Close()
}

func member(z *zip.Writer, name string, t time.Time) (io.Writer, error) {
	return z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: t})
}
