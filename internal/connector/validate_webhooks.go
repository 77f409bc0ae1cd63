package connector

import "slices"

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
