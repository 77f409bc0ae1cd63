package connector

import "github.com/goccy/go-yaml/ast"

func (r *reader) guide(n ast.Node) *Guide {
	o := r.object("guide", n, members["guide"])
	g := &Guide{VersionNote: o.prose("versionNote", maxProse)}
	o.list("kinds", func(path string, n ast.Node) {
		k := r.object(path, n, members["appKind"])
		g.Kinds = append(g.Kinds, AppKind{ID: k.text("id", maxName), Label: k.text("label", maxName), Meaning: k.prose("meaning", maxProse)})
	})
	o.list("steps", func(path string, n ast.Node) { g.Steps = append(g.Steps, r.guideStep(path, n)) })
	return g
}

func (r *reader) guideStep(path string, n ast.Node) GuideStep {
	o := r.object(path, n, members["guideStep"])
	s := GuideStep{ID: o.text("id", maxName), Title: o.prose("title", maxName), Words: o.prose("words", maxProse), Optional: o.flag("optional", false),
		Kinds: o.texts("kinds", maxName), Links: o.texts("links", maxName), Notes: o.paragraphs("notes")}
	for _, e := range o.texts("shows", maxName) {
		s.Shows = append(s.Shows, Evidence(e))
	}
	o.list("copies", func(path string, n ast.Node) {
		c := r.object(path, n, members["guideCopy"])
		s.Copies = append(s.Copies, GuideCopy{Label: c.text("label", maxName), Value: CopyValue(c.text("value", maxName)), Text: c.text("text", maxToken),
			Hint: c.prose("hint", maxProse)})
	})
	o.list("checklist", func(path string, n ast.Node) {
		i := r.object(path, n, members["guideItem"])
		s.Checklist = append(s.Checklist, GuideItem{ID: i.text("id", maxName), Text: i.prose("text", maxProse)})
	})
	o.list("counters", func(path string, n ast.Node) {
		c := r.object(path, n, members["guideCounter"])
		s.Counters = append(s.Counters, GuideCounter{ID: c.text("id", maxName), Label: c.text("label", maxName), Limit: c.whole("limit", 0),
			Without: c.text("without", maxName), NoFinalStop: c.flag("noFinalStop", false), Note: c.prose("note", maxProse)})
	})
	return s
}
