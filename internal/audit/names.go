package audit

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"backoffice/internal/store"
)

// A text is looked for in names, not in events: each person and each target is
// filed once under every three bytes of its name, in lower case. The actions are
// few and known.

const (
	gramPrefix = "audit/gram/"
	gramSize   = 3
	// gramEnd fills up the grams at the end of a name, so that shorter texts are
	// found there, too.
	gramEnd = "\x00\x00"

	// mostNames is how many names may have a gram that decides.
	mostNames = 200
	// mostGrams is how many grams of a text are looked up.
	mostGrams = 8
	// newest is how many events are looked through before a text is looked up.
	// What a text finds is mostly among them.
	newest = 1000
)

// grams are the keys that a name of a field is filed under.
func grams(field, name string) (keys []string) {
	text := strings.ToLower(name) + gramEnd
	for i := range len(text) - gramSize + 1 {
		keys = append(keys, gramPrefix+hex.EncodeToString([]byte(text[i:i+gramSize]))+"/"+field+"/"+url.PathEscape(name))
	}
	return keys
}

// spell files the names of an event, unless they are there already.
func (e Event) spell(tx store.Tx) error {
	for _, name := range e.names() {
		keys := grams(name[0], name[1])
		_, err := tx.Get(keys[0])
		if err == nil {
			continue
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		for _, k := range keys {
			tx.Put(k, nil)
		}
	}
	return nil
}

// names are the event's names that are filed, each after its field.
func (e Event) names() (out [][2]string) {
	if e.Actor.Name != "" {
		out = append(out, [2]string{"who", e.Actor.Name})
	}
	if e.Target != "" {
		out = append(out, [2]string{"target", e.Target})
	}
	return out
}

// namesWith returns the indexes of the names that have a text. sure is false if
// more names may have it than are worth being looked up.
func namesWith(r store.Reader, text string) (indexes []string, sure bool, err error) {
	text = strings.ToLower(text)
	found, sure, err := candidates(r, text)
	if err != nil || !sure {
		return nil, sure, err
	}
	for _, key := range found {
		_, rest, _ := strings.Cut(strings.TrimPrefix(key, gramPrefix), "/")
		field, escaped, _ := strings.Cut(rest, "/")
		name, err := url.PathUnescape(escaped)
		if err != nil {
			return nil, false, fmt.Errorf("key %q of the audit log is damaged", key)
		}
		if strings.Contains(strings.ToLower(name), text) {
			indexes = append(indexes, indexPrefix(field, name))
		}
	}
	for _, a := range Actions() {
		if strings.Contains(string(a), text) {
			indexes = append(indexes, indexPrefix("action", string(a)))
		}
	}
	slices.Sort(indexes)
	return slices.Compact(indexes), true, nil
}

// candidates are keys of the gram of a text that the fewest names have, unless
// many have each.
func candidates(r store.Reader, text string) (keys []string, sure bool, err error) {
	parts := []string{text}
	if len(text) > gramSize {
		parts = nil
		for i := range len(text) - gramSize + 1 {
			parts = append(parts, text[i:i+gramSize])
		}
		slices.Sort(parts)
		parts = slices.Compact(parts)
	}
	for i := 0; i < min(len(parts), mostGrams); i++ {
		part := parts[i*len(parts)/min(len(parts), mostGrams)]
		items, err := r.Scan(store.Range{Prefix: gramPrefix + hex.EncodeToString([]byte(part)), Limit: mostNames + 1})
		if err != nil {
			return nil, false, err
		}
		if len(items) > mostNames || sure && len(items) >= len(keys) {
			continue
		}
		sure, keys = true, nil
		for _, it := range items {
			keys = append(keys, it.Key)
		}
		if len(keys) == 0 {
			break
		}
	}
	return keys, sure, nil
}

// byName goes through the events with a text in their names, from number lo on:
// the newest one by one, and the others by the names that have it. Where too many
// have it, the page ends, and those that follow go on one by one.
func (l *lister) byName(lo int64) (full bool, err error) {
	begin := max(lo, l.hi-newest)
	if full, err = l.list(stretch{eventPrefix, begin, l.hi}); full || err != nil || begin == lo {
		return full, err
	}
	indexes, sure, err := namesWith(l.r, l.filter.Text)
	if err != nil {
		return false, err
	}
	if !sure && l.filter.Before == 0 {
		l.page.More, l.page.Next = true, begin
		return true, nil
	}
	old := begin // what is older has to be looked through one by one
	if sure {
		if old, err = finer(l.r, begin); err != nil {
			return false, err
		}
		if full, err = l.merge(indexes, max(lo, old), begin); full || err != nil {
			return full, err
		}
	}
	return l.list(stretch{eventPrefix, lo, max(lo, old)})
}

// merge goes through the events in [lo, hi) of several indexes, newest first.
func (l *lister) merge(indexes []string, lo, hi int64) (full bool, err error) {
	for most := l.filter.Limit + 1; ; {
		numbers, err := newestOf(l.r, indexes, hi, most)
		if err != nil {
			return false, err
		}
		for _, n := range numbers {
			if n < lo {
				return false, nil
			}
			if l.page.More = true; len(l.page.Events) == l.filter.Limit || l.done >= examined {
				return true, nil
			}
			e, err := read(l.r, n)
			if err != nil {
				return false, err
			}
			hi, l.page.Next = n, n
			l.done++
			if l.filter.matches(e) {
				l.page.Events = append(l.page.Events, e)
			}
		}
		if len(numbers) < most {
			return false, nil
		}
	}
}

// newestOf returns the largest numbers below hi that are in one of the indexes, at
// most so many, the largest first.
func newestOf(r store.Reader, indexes []string, hi int64, most int) ([]int64, error) {
	type head struct {
		ix string
		n  int64
	}
	var heads []head
	for _, ix := range indexes {
		ns, err := below(r, ix, hi, 1)
		if err != nil {
			return nil, err
		}
		if len(ns) > 0 {
			heads = append(heads, head{ix, ns[0]})
		}
	}
	slices.SortFunc(heads, func(a, b head) int { return int(b.n - a.n) })
	var out []int64
	for _, h := range heads {
		if len(out) >= most && out[most-1] > h.n { // no later index has a larger one
			break
		}
		ns, err := below(r, h.ix, hi, most)
		if err != nil {
			return nil, err
		}
		out = append(out, ns...)
		slices.SortFunc(out, func(a, b int64) int { return int(b - a) })
		out = slices.Compact(out)
		out = out[:min(len(out), most)]
	}
	return out, nil
}

// below returns the largest numbers of an index that are below hi.
func below(r store.Reader, ix string, hi int64, most int) ([]int64, error) {
	items, err := r.Scan(store.Range{Prefix: ix, After: fmt.Sprintf("%s%016d", ix, hi), Reverse: true, Limit: most})
	if err != nil {
		return nil, err
	}
	out := make([]int64, len(items))
	for i, it := range items {
		if out[i], err = strconv.ParseInt(strings.TrimPrefix(it.Key, ix), 10, 64); err != nil {
			return nil, fmt.Errorf("key %q of the audit log is damaged", it.Key)
		}
	}
	return out, nil
}

// spelled checks that the names of an event are found by their parts.
func (a *account) spelled(r getter, e Event) error {
	for _, name := range e.names() {
		if a.names[name] {
			continue
		}
		for _, key := range grams(name[0], name[1]) {
			if _, err := r.Get(key); errors.Is(err, store.ErrNotFound) {
				return faultf("the name %q is in the log, but filters do not find it by a part of it", name[1])
			} else if err != nil {
				return err
			}
		}
		if a.names == nil || len(a.names) >= maxSpelled {
			a.names = map[[2]string]bool{}
		}
		a.names[name] = true
	}
	return nil
}

// maxSpelled bounds what a check remembers.
const maxSpelled = 20_000

// has reports whether an archived event may be one of the filter, by its bytes.
func has(leaf []byte, marks [][]byte) bool {
	return !slices.ContainsFunc(marks, func(m []byte) bool { return !bytes.Contains(leaf, m) })
}
