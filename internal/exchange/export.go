package exchange

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/store"
)

// An Order is what somebody wants to take out.
type Order struct {
	IDs        []config.ID
	Shape      Shape
	Recipients string // age recipients to whom secrets are sealed; "" leaves secrets out
}

// Export returns the file of an order. Its events are in the log before it
// returns: one for the file, and one for each entry whose secrets are in it. Whether
// the person may see the entries, and reveal their secrets, is for the caller to
// establish. It returns an errs.Field on "ids" or "recipients".
func (s *Service) Export(ctx context.Context, by audit.Actor, o Order) ([]byte, error) {
	to, names, err := ParseRecipients(o.Recipients)
	if err != nil {
		return nil, err
	}
	switch {
	case len(o.IDs) == 0:
		return nil, errs.Field("ids", "No entry is chosen, so there is nothing to export. Choose some, or all.")
	case len(o.IDs) > MaxRows:
		return nil, errs.Field("ids", fmt.Sprintf("These are %d entries; a file takes %d. Export in parts, by the vendor for example.", len(o.IDs), MaxRows))
	}
	f := File{Format: Format, From: s.origin, Instance: s.instance, Exported: s.now().UTC(), By: by.Name, Recipients: names}
	size := 0
	for _, id := range o.IDs {
		row, values, err := s.row(ctx, id)
		if err != nil {
			return nil, err
		}
		if len(to) > 0 && len(values) > 0 {
			if err := row.seal(values, to); err != nil {
				return nil, fmt.Errorf("sealing the secrets of %s: %w", id, err)
			}
		}
		if size += row.size(); size > MaxFile {
			return nil, errs.Field("ids", fmt.Sprintf("These entries have more than %d MiB, which no import takes at once. Export in parts, by the vendor for example.", MaxFile>>20))
		}
		f.Entries = append(f.Entries, row)
	}
	var out bytes.Buffer
	if err := f.Write(&out, o.Shape); err != nil {
		return nil, err
	}
	return out.Bytes(), s.record(ctx, s.exported(by, f))
}

// size is about how many bytes the row takes in a file.
func (r Row) size() int {
	n := 300 + len(r.Sealed)
	for k, v := range r.Values {
		n += len(k) + len(v.literal.Reveal())
	}
	return n
}

// row is the version of an entry that a file has, and the values of its secrets.
func (s *Service) row(ctx context.Context, id config.ID) (Row, map[string]Scalar, error) {
	e, err := s.config.Get(ctx, id)
	if err != nil {
		return Row{}, nil, err
	}
	n := e.Current
	if n == 0 {
		n = e.Newest()
	}
	v, err := s.config.Open(ctx, id, n)
	if err != nil {
		return Row{}, nil, err
	}
	row := Row{ID: string(id), Connector: e.Connector, Version: n, Hash: v.ContentHash, Pending: n != e.Current, Scopes: v.Scopes, Topics: v.Topics}
	values := map[string]Scalar{}
	for _, k := range v.Keys {
		if !k.Secret {
			if row.Values == nil {
				row.Values = map[string]Scalar{}
			}
			row.Values[k.Name] = scalarOf(v.Values[k.Name])
			continue
		}
		if row.Secrets == nil {
			row.Secrets = map[string]Print{}
		}
		row.Secrets[k.Name] = Print{k.Fingerprint, k.Length}
		values[k.Name] = scalarOf(v.Values[k.Name])
	}
	return row, values, nil
}

// exported are the events of a file that goes out.
func (s *Service) exported(by audit.Actor, f File) []audit.Event {
	note := fmt.Sprintf("%s, secrets left out.", count(len(f.Entries)))
	if len(f.Recipients) > 0 {
		note = fmt.Sprintf("%s, secrets sealed to %s.", count(len(f.Entries)), strings.Join(f.Recipients, ", "))
	}
	out := []audit.Event{s.event(by, audit.EntriesExported, "", note)}
	for _, row := range f.Entries {
		if row.Sealed == "" {
			continue
		}
		e := s.event(by, audit.SecretsExported, row.ID, "Sealed to "+strings.Join(f.Recipients, ", ")+".")
		e.Version = row.Version
		out = append(out, e)
	}
	return out
}

func count(n int) string {
	if n == 1 {
		return "One entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// record writes events, all or none.
func (s *Service) record(ctx context.Context, events []audit.Event) error {
	return s.store.Update(ctx, func(tx store.Tx) error {
		for _, e := range events {
			if err := audit.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}
