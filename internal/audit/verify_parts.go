package audit

import (
	"cmp"
	"fmt"
	"io"
	"math/bits"
	"slices"
)

// A Part is one of the files that a verification is over.
type Part struct {
	Name string
	R    io.ReaderAt
	Size int64
}

// An openPart is an export whose head is believed.
type openPart struct {
	Part
	bundle bundle
	head   Checkpoint
	from   int64
	edge   frontier
}

// Files checks files that together have the events of one log from some event on:
// archive files, in any order, and behind them an export of what is still live.
// One file alone may be anything that File checks. The error is a *Fault if
// something does not hold; that events between two files were not given is
// another error.
func (v Verification) Files(files []Part) (p Proven, err error) {
	if len(files) == 1 {
		if kind, err := kindOf(files[0].R); err != nil || kind == KindReceipt {
			return v.File(files[0].R, files[0].Size)
		}
	}
	var parts []openPart
	for _, f := range files {
		part, m, err := v.openPart(f)
		if err != nil {
			return p, named(len(files), f.Name, err)
		}
		if m.Kind == KindFiltered {
			if len(files) == 1 {
				return v.filtered(part.bundle)
			}
			return p, fmt.Errorf("%s is a filtered export, which cannot be checked together with others", f.Name)
		}
		p.Kind = m.Kind
		parts = append(parts, part)
	}
	slices.SortStableFunc(parts, func(a, b openPart) int { return cmp.Compare(a.from, b.from) })
	if len(files) > 1 || parts[0].from > 0 {
		p.Kind = KindPart
	}
	return v.chain(parts, p)
}

func (v Verification) openPart(f Part) (o openPart, m Manifest, err error) {
	o.Part = f
	kind, err := kindOf(f.R)
	if err == nil && kind == KindReceipt {
		err = fmt.Errorf("a receipt cannot be checked together with others")
	}
	if err != nil {
		return o, m, err
	}
	if o.bundle, err = openBundle(f.R, f.Size); err != nil {
		return o, m, err
	}
	if o.head, m, err = o.bundle.head(v.Key); err != nil {
		return o, m, err
	}
	o.from, o.edge.size = m.From, m.From
	for _, s := range m.Edge {
		h, err := parseHash(s)
		if err != nil {
			return o, m, faultf("the manifest is damaged: %v", err)
		}
		o.edge.hashes = append(o.edge.hashes, h)
	}
	return o, m, nil
}

// named says which file an error is about, if there are several.
func named(files int, name string, err error) error {
	if files < 2 {
		return err
	}
	if f, ok := err.(*Fault); ok {
		return faultf("%s: %s", name, f.Msg)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// chain checks parts one behind the other: each begins with the tree with which
// the one before ends.
func (v Verification) chain(parts []openPart, p Proven) (Proven, error) {
	p.From = parts[0].from
	kept := slices.SortedFunc(slices.Values(v.Earlier), func(a, b Earlier) int { return cmp.Compare(a.Size, b.Size) })
	if len(kept) > 0 && kept[0].Size < p.From {
		return p, fmt.Errorf("whether they continue the %d events of %s takes the files from there on: these begin with event %d", kept[0].Size, kept[0].From, p.From)
	}
	tree := parts[0].edge
	for i, part := range parts {
		switch {
		case part.from > tree.size:
			return p, fmt.Errorf("events %d to %d are in none of the files. Give the archive file with them, too", tree.size, part.from-1)
		case part.from < tree.size:
			return p, fmt.Errorf("%s has events that another of the files has, too. Leave one of them out", part.Name)
		case part.from > 0 && part.edge.root() != tree.root():
			return p, faultf("%s does not continue %s: before its first event, %d, there was another log", part.Name, parts[max(0, i-1)].Name, part.from)
		}
		p.Head = part.head
		var err error
		if tree, kept, err = v.all(part.bundle, tree, kept, &p); err != nil {
			return p, named(len(parts), part.Name, err)
		}
	}
	if len(kept) > 0 {
		return p, tooFew(p.Head.Size, kept[0])
	}
	return p, nil
}

// edgeFits reports whether an edge of so many hashes can be that of size events.
func edgeFits(size int64, hashes int) bool {
	return size >= 0 && bits.OnesCount64(uint64(size)) == hashes
}
