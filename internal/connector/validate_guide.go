package connector

import (
	"regexp"
	"slices"
)

// guideID is what ids of a guide look like: they become parts of store records
// and of form fields, and are never renamed.
var guideID = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// maxCounter is the longest text that a counter takes, in characters.
const maxCounter = 5000

func (v validator) guide() {
	g := v.d.Guide
	if g == nil {
		return
	}
	if len(g.Steps) == 0 {
		v.fault("guide", "there are no steps. Add steps, or remove guide: there is one that holds for every provider.")
	}
	v.appKinds(g.Kinds)
	ids, counters := once{}, once{}
	for i, s := range g.Steps {
		path := item("guide.steps", i)
		v.guideID(path+".id", s.ID, ids)
		v.need(path+".title", s.Title, "what the step is called")
		v.need(path+".words", s.Words, "what to do in this step")
		v.stepKinds(path, s)
		v.shows(path, s.Shows)
		v.copies(path, s.Copies)
		v.stepLinks(path, s.Links)
		v.checklist(path, s.Checklist)
		v.counters(path, s.Counters, counters)
	}
	if _, ok := v.d.VersionField(); g.VersionNote != "" && !ok {
		v.fault("guide.versionNote", "no option of a field is marked old, so nothing is known about API versions. Mark the options, or remove the note.")
	}
}

func (v validator) guideID(path, id string, seen once) {
	if !guideID.MatchString(id) {
		v.fault(path, "an id has up to 40 lower-case letters, digits and -, with a letter first. It is stored, so keep it once it is in use.")
	} else if _, twice := seen.seen(id, path); twice {
		v.fault(path, "the id %q stands here twice. Change one.", cut(id))
	}
}

func (v validator) appKinds(kinds []AppKind) {
	if len(kinds) == 1 {
		v.fault("guide.kinds", "one kind is nothing to choose from. Name another, or remove kinds.")
	}
	ids, labels := once{}, once{}
	for i, k := range kinds {
		path := item("guide.kinds", i)
		v.guideID(path+".id", k.ID, ids)
		v.need(path+".label", k.Label, "what the provider calls such an app")
		if _, twice := labels.seen(k.Label, path); twice {
			v.fault(path+".label", "two kinds have the label %q. Nobody could tell them apart: change one.", cut(k.Label))
		}
	}
}

func (v validator) stepKinds(path string, s GuideStep) {
	for j, k := range s.Kinds {
		if _, ok := v.d.Guide.Kind(k); !ok {
			v.fault(item(path+".kinds", j), "no kind of app has the id %q. Add it under kinds, or name another.", cut(k))
		}
	}
}

// shows reports evidence that nothing of this definition could ever give.
func (v validator) shows(path string, list []Evidence) {
	for j, e := range list {
		at := item(path+".shows", j)
		switch {
		case !slices.Contains(evidences, string(e)):
			v.fault(at, "%q is no evidence that is known here. Write %s.", cut(string(e)), oneOf(evidences))
		case e == NotificationReceived && (v.d.Webhooks == nil || len(v.d.Webhooks.Signatures) == 0):
			v.fault(at, "no notification could show this: webhooks has no signatures. Add them, or remove %s.", e)
		case e == PermissionsDeclared && len(v.d.Permissions) == 0:
			v.fault(at, "there are no permissions to look at. Add them, or remove %s.", e)
		case e != NotificationReceived && e != PermissionsDeclared && v.d.OAuth == nil:
			v.fault(at, "no test could show this: there is no oauth. Add it, or remove %s.", e)
		}
	}
}

func (v validator) copies(path string, list []GuideCopy) {
	labels := once{}
	for j, c := range list {
		at := item(path+".copies", j)
		v.need(at+".label", c.Label, "what the provider calls the value")
		if _, twice := labels.seen(c.Label, at); twice {
			v.fault(at+".label", "two values of this step have the label %q. Change one.", cut(c.Label))
		}
		switch {
		case c.Value == "" && c.Text == "":
			v.fault(at, "there is nothing to copy. Write value, which is %s, or text.", oneOf(copyValues))
		case c.Value != "" && c.Text != "":
			v.fault(at, "value and text exclude each other. Remove one.")
		case c.Value != "" && !slices.Contains(copyValues, string(c.Value)):
			v.fault(at+".value", "%q is no value that is known here. Write %s.", cut(string(c.Value)), oneOf(copyValues))
		case c.Value != "":
			v.copyValue(at+".value", c.Value)
		}
	}
}

// copyValue reports a value that no entry of this definition has.
func (v validator) copyValue(path string, value CopyValue) {
	has := true
	switch value {
	case CopyRedirectURI:
		has = v.d.OAuth != nil
	case CopyAPIURL:
		has = v.d.OAuth != nil && v.d.OAuth.APIURL != ""
	case CopyWebhookURL:
		has = v.d.Webhooks != nil
	case CopyVersionHeader:
		_, has = v.d.VersionHeader()
	}
	if !has {
		v.fault(path, "this definition has no %s. Add what it is made of, or write text.", value)
	}
}

func (v validator) stepLinks(path string, labels []string) {
	for j, label := range labels {
		if _, ok := v.d.Link(label); !ok {
			v.fault(item(path+".links", j), "no link has the label %q. Add it under links, or name another.", cut(label))
		}
	}
}

func (v validator) checklist(path string, items []GuideItem) {
	ids := once{}
	for j, i := range items {
		at := item(path+".checklist", j)
		v.guideID(at+".id", i.ID, ids)
		v.need(at+".text", i.Text, "what is to be ticked")
	}
}

func (v validator) counters(path string, list []GuideCounter, ids once) {
	for j, c := range list {
		at := item(path+".counters", j)
		v.guideID(at+".id", c.ID, ids)
		v.need(at+".label", c.Label, "what the text is")
		if c.Limit < 1 || c.Limit > maxCounter {
			v.fault(at+".limit", "limit must be a number of characters from 1 to %d.", maxCounter)
		}
	}
}

// old reports options that cannot be older than another.
func (v validator) old(path string, f Field) {
	if len(f.Options) > 0 && f.Options[0].Old {
		v.fault(item(path+".options", 0)+".old", "the first option is the newest stable one, so it is not old. Write the options from the newest on.")
	}
}
