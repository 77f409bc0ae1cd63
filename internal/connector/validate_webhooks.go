package connector

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

func (v validator) topics() {
	names := once{}
	for i, t := range v.d.Topics {
		path := item("topics", i)
		v.need(path+".name", t.Name, "the topic as the provider sends it")
		if _, twice := names.seen(t.Name, path); twice {
			v.fault(path+".name", "two topics are called %q. Keep one.", cut(t.Name))
		}
		for j, need := range t.Needs {
			if _, ok := v.d.permissionID(need); !ok {
				v.fault(item(path+".needs", j), "no permission is called %q. %s", cut(need), idRule)
			}
		}
	}
	if len(v.d.Topics) > 0 && v.d.Webhooks == nil {
		v.fault("topics", "there are topics but no webhooks. Say under webhooks how notifications are signed.")
	}
}

func (v validator) webhooks() {
	w := v.d.Webhooks
	if w == nil {
		return
	}
	for i, s := range w.Signatures {
		v.signature(item("webhooks.signatures", i), s)
	}
	for i, key := range w.SecretKeys {
		v.secretKey(item("webhooks.secretKeys", i), key)
	}
	if len(w.Signatures) > 0 && len(w.SecretKeys) == 0 {
		v.fault("webhooks", "secretKeys is missing. Name the field that holds the signing secret.")
	}
	if w.Refuse < 400 || w.Refuse > 499 {
		v.fault("webhooks.refuse", "refuse must be a status from 400 to 499: what a notification is answered that no known secret signed.")
	}
	if w.SlowAfter > 0 && w.AnswerWithin > 0 && w.SlowAfter >= w.AnswerWithin {
		v.fault("webhooks.slowAfter", "slowAfter must be shorter than answerWithin: later than that the answer does not count at all.")
	}
	v.reads(w.Reads)
	for i, s := range w.Sources {
		v.source(item("webhooks.sources", i), s)
	}
	for i, s := range w.Samples {
		v.sample(item("webhooks.samples", i), s)
	}
	v.topicAliases(w.Aliases)
}

func (v validator) signature(path string, s Signature) {
	if !headerName.MatchString(s.Header) {
		v.fault(path+".header", "header must be the name of the header that carries the signature.")
	}
	if !slices.Contains(algorithms, s.Algorithm) {
		v.fault(path+".algorithm", "algorithm must be %s: HMAC over the raw body.", oneOf(algorithms))
	}
	if !slices.Contains(encodings, s.Encoding) {
		v.fault(path+".encoding", "encoding must be %s.", oneOf(encodings))
	}
	if strings.ContainsFunc(s.Prefix, func(r rune) bool { return r <= ' ' || r > '~' || r == ',' && s.Item != "" }) {
		v.fault(path+".prefix", "prefix is printable ASCII without spaces, and without commas in a list.")
	}
	if s.Item != "" && !itemName.MatchString(s.Item) {
		v.fault(path+".item", "item must be the name before the = in the header's list, such as v1.")
	}
	v.signed(path, s)
	if s.Timestamp != nil {
		v.timestamp(path, s)
	}
}

var (
	itemName  = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	mark      = regexp.MustCompile(`\{[^{}]*\}`)
	readsPath = regexp.MustCompile(`^(header [A-Za-z0-9-]+|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)$`)
)

// signed reports what cannot be a template of what is signed.
func (v validator) signed(path string, s Signature) {
	path += ".signed"
	marks := mark.FindAllString(s.Signed, -1)
	stamped := slices.Contains(marks, "{timestamp}")
	switch {
	case strings.ContainsAny(mark.ReplaceAllString(s.Signed, ""), "{}"):
		v.fault(path, "a brace stands alone. Write {body} and {timestamp}.")
	case slices.ContainsFunc(marks, func(m string) bool { return m != "{body}" && m != "{timestamp}" }):
		v.fault(path, "signed has {body} and {timestamp} in it, and no other names. Write the rest out.")
	case !slices.Contains(marks, "{body}"):
		v.fault(path, "signed must have {body} in it: a signature that does not cover the body proves nothing.")
	case stamped && s.Timestamp == nil:
		v.fault(path, "{timestamp} is signed, but nothing says where it stands. Add timestamp.")
	case !stamped && s.Timestamp != nil:
		v.fault(path, "there is a timestamp that is not signed, so anybody could change it. Put {timestamp} into signed, or remove timestamp.")
	}
}

func (v validator) timestamp(path string, s Signature) {
	path += ".timestamp"
	t := s.Timestamp
	switch {
	case t.Header == "" && t.Item == "", t.Header != "" && t.Item != "":
		v.fault(path, "the time stands in a header of its own or in an item of the signature's header. Name one of the two: header or item.")
	case t.Header != "" && !headerName.MatchString(t.Header):
		v.fault(path+".header", "header must be the name of the header that carries the time.")
	case t.Item != "" && !itemName.MatchString(t.Item):
		v.fault(path+".item", "item must be the name before the = in the header's list, such as t.")
	case t.Item != "" && s.Item == "":
		v.fault(path+".item", "the time is in a list, so the signature is too. Name its item.")
	case t.Item != "" && t.Item == s.Item:
		v.fault(path+".item", "the time and the signature have the same item. Name the time's own.")
	}
	if t.Tolerance < time.Second || t.Tolerance > 24*time.Hour {
		v.fault(path+".tolerance", "tolerance must be from 1s to 24h: how far from now the time may be.")
	}
}

func (v validator) reads(r NotificationReads) {
	for _, at := range []struct{ name, place string }{{"id", r.ID}, {"topic", r.Topic}, {"account", r.Account}, {"happened", r.Happened},
		{"firstSent", r.FirstSent}, {"attempt", r.Attempt}} {
		if at.place != "" && !readsPath.MatchString(at.place) {
			v.fault("webhooks.reads."+at.name, "%s is read from the body, by member names with dots between them such as data.item.type, or from a header, as \"header X-Event\".", at.name)
		}
	}
}

func (v validator) source(path string, s Source) {
	v.need(path+".label", s.Label, "whose addresses they are, such as a region")
	if len(s.Addresses) == 0 {
		v.fault(path, "addresses is missing. Name the addresses or networks that the provider sends from.")
	}
	for i, a := range s.Addresses {
		if _, err := netip.ParseAddr(a); err == nil {
			continue
		}
		p, err := netip.ParsePrefix(a)
		switch {
		case err != nil:
			v.fault(item(path+".addresses", i), "%q is neither an IP address nor a network such as 192.0.2.0/24.", cut(a))
		case p != p.Masked():
			v.fault(item(path+".addresses", i), "this network has an address of its own set. Write %s.", p.Masked())
		}
	}
}

func (v validator) sample(path string, s Sample) {
	if len(s.Topics) == 0 {
		v.fault(path, "topics is missing. Name the topics that the sample is for, or \"*\" for all.")
	}
	for i, t := range s.Topics {
		if !v.d.someTopic(t) {
			v.fault(item(path+".topics", i), "no topic is called %q. Add it under topics, or name another; a name that ends in * stands for all that begin so.", cut(t))
		}
	}
	switch {
	case s.Body == "":
		v.fault(path, "body is missing. Write the JSON of a notification.")
	case s.unknownMark() != "":
		v.fault(path+".body", "%s is not replaced. Use {id}, {topic}, {now} and {account}.", cut(s.unknownMark()))
	default:
		if _, err := s.Fill(SampleValues{ID: "n_1", Topic: "t", Account: "a", Now: time.Unix(1, 0)}); err != nil {
			v.fault(path+".body", "this is not JSON once {id}, {topic}, {now} and {account} are replaced. {now} is a number; the others stand in quotes.")
		}
	}
	known := func(g Signature) bool { return strings.EqualFold(g.Header, s.Header) }
	if s.Header != "" && !slices.ContainsFunc(v.d.Webhooks.Signatures, known) {
		v.fault(path+".header", "no signature stands in the header %q. Name the header of one.", cut(s.Header))
	}
	if len(v.d.Webhooks.Signatures) == 0 {
		v.fault(path, "there are no signatures, so a sample could not be signed. Add signatures, or remove the sample.")
	}
}

// someTopic reports whether a topic of a sample is one of the definition's, or
// begins some of them. A bare * is for topics that nobody has listed, too.
func (d *Definition) someTopic(t string) bool {
	begin, open := strings.CutSuffix(t, "*")
	return t == "*" || slices.ContainsFunc(d.Topics, func(k Topic) bool { return k.Name == t || open && strings.HasPrefix(k.Name, begin) })
}

// secretKey reports a key that is no secret field.
func (v validator) secretKey(path, key string) {
	f, ok := v.d.Field(key)
	switch {
	case !ok:
		v.fault(path, "no field has the key %q. Add it under fields, or name another.", cut(key))
	case !f.Secret:
		v.fault(path, "the field %q is not secret, but what stands here must be. Add secret: true to it.", key)
	}
}

func (v validator) topicAliases(aliases []TopicAlias) {
	names := once{}
	for i, a := range aliases {
		path := item("webhooks.aliases", i)
		v.need(path+".alias", a.Alias, "the other name")
		if _, twice := names.seen(a.Alias, path); twice {
			v.fault(path+".alias", "two aliases are called %q. Keep one.", cut(a.Alias))
		}
		if _, ok := v.d.Topic(a.Alias); ok {
			v.fault(path+".alias", "%q is a topic itself, so it needs no alias. Remove one of the two.", cut(a.Alias))
		}
		if len(a.Topics) == 0 {
			v.fault(path, "topics is missing. Name the topics that the alias stands for.")
		}
		for j, t := range a.Topics {
			if _, ok := v.d.Topic(t); !ok {
				v.fault(item(path+".topics", j), "no topic is called %q. Add it under topics, or name another.", cut(t))
			}
		}
	}
}
