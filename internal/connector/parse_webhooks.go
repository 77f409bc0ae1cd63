package connector

import (
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"
)

func (r *reader) webhooks(n ast.Node) *Webhooks {
	o := r.object("webhooks", n, members["webhooks"])
	w := &Webhooks{SecretKeys: o.texts("secretKeys", maxName), Refuse: o.whole("refuse", 401), Notes: o.paragraphs("notes"),
		AnswerWithin: o.duration("answerWithin"), SlowAfter: o.duration("slowAfter")}
	o.list("signatures", func(path string, n ast.Node) { w.Signatures = append(w.Signatures, r.signature(path, n)) })
	if n, ok := o.members["reads"]; ok {
		v := r.object("webhooks.reads", n, members["reads"])
		w.Reads = NotificationReads{ID: v.text("id", maxName), Topic: v.text("topic", maxName), Account: v.text("account", maxName),
			Happened: v.text("happened", maxName), FirstSent: v.text("firstSent", maxName), Attempt: v.text("attempt", maxName)}
	}
	o.list("sources", func(path string, n ast.Node) {
		s := r.object(path, n, members["source"])
		w.Sources = append(w.Sources, Source{Label: s.text("label", maxName), Addresses: s.texts("addresses", maxName)})
	})
	o.list("samples", func(path string, n ast.Node) {
		s := r.object(path, n, members["sample"])
		w.Samples = append(w.Samples, Sample{Topics: s.texts("topics", maxToken), Body: s.prose("body", maxSample), Header: s.text("header", maxName)})
	})
	o.list("aliases", func(path string, n ast.Node) {
		a := r.object(path, n, members["topicAlias"])
		w.Aliases = append(w.Aliases, TopicAlias{Alias: a.text("alias", maxToken), Topics: a.texts("topics", maxToken), Note: a.prose("note", maxProse)})
	})
	return w
}

// maxSample is the length of a sample's body in characters.
const maxSample = 8192

func (r *reader) signature(path string, n ast.Node) Signature {
	o := r.object(path, n, members["signature"])
	s := Signature{Header: o.text("header", maxName), Algorithm: o.text("algorithm", maxName), Encoding: o.text("encoding", maxName),
		Prefix: o.text("prefix", maxName), Item: o.text("item", maxName), Signed: o.textOr("signed", "{body}"), For: o.prose("for", maxProse)}
	if n, ok := o.members["timestamp"]; ok {
		t := r.object(join(path, "timestamp"), n, members["timestamp"])
		s.Timestamp = &Timestamp{Header: t.text("header", maxName), Item: t.text("item", maxName), Tolerance: t.duration("tolerance")}
	}
	return s
}

// duration reads a length of time as "5s" or "10m". An absent one is 0.
func (o object) duration(name string) time.Duration {
	text := o.text(name, maxName)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > 24*time.Hour {
		o.r.faultf(join(o.path, name), "%s must be a length of time up to a day, such as 5s or 10m.", name)
		return 0
	}
	return d
}

// whole reads a whole number, with a value for an absent member.
func (o object) whole(name string, preset int) int {
	n, ok := o.members[name]
	if !ok {
		return preset
	}
	i, isInt := n.(*ast.IntegerNode)
	if isInt {
		if v, err := strconv.Atoi(i.Token.Value); err == nil {
			return v
		}
	}
	o.r.faultf(join(o.path, name), "%s must be a whole number, without quotes.", name)
	return preset
}
