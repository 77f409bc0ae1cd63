package server

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/errs"
	"backoffice/internal/guide"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// guidePages are the tab Set-up guide of an entry.
type guidePages struct{ gate }

// show is GET /config/:id/guide.
func (p guidePages) show(c echo.Context) error { return p.draw(c, guideTab{status: http.StatusOK}) }

// A guideTab is the tab as one request has it.
type guideTab struct {
	status int
	refuse error    // why a form was not saved
	typed  drafting // what it had
}

// A drafting is the form of a step's drafts as it was sent.
type drafting struct {
	step  string
	texts map[string]string // by counter; nil if another form was sent
}

// change is POST /config/:id/guide: every form of the tab.
func (p guidePages) change(c echo.Context) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	step := c.FormValue("step")
	said, typed, err := p.do(c, e.ID, def, step)
	if kind, _ := errs.Of(err); err != nil && (kind == errs.Invalid || kind == errs.Conflict) {
		because(c, err)
		return p.draw(c, guideTab{map[errs.Kind]int{errs.Invalid: http.StatusUnprocessableEntity, errs.Conflict: http.StatusConflict}[kind], err, typed})
	}
	if err != nil {
		return err
	}
	to := entryURL(e.ID) + "/guide"
	if def != nil && step != "" {
		to += "#step-" + step // one of the guide's: any other was refused
	}
	return p.see(c, to, flash{said: said})
}

// do does what the form asks for.
func (p guidePages) do(c echo.Context, id config.ID, def *connector.Definition, step string) (said, drafting, error) {
	ctx, by := c.Request().Context(), actor(c)
	switch c.FormValue("do") {
	case "tick":
		return saidTicked, drafting{}, p.Guide.Tick(ctx, by, id, guide.Saying{Step: step, Note: c.FormValue("note")})
	case "skip":
		return saidTicked, drafting{}, p.Guide.Tick(ctx, by, id, guide.Saying{Step: step, Note: c.FormValue("note"), Skipped: true})
	case "untick":
		return saidUnticked, drafting{}, p.Guide.Untick(ctx, by, id, step)
	case "kind":
		return saidKind, drafting{}, p.Guide.Choose(ctx, by, id, c.FormValue("kind"))
	case "check":
		return saidChecked, drafting{}, p.Guide.Check(ctx, by, id, guide.Checking{Step: step, Shown: c.Request().PostForm["shown"], Items: c.Request().PostForm["item"]})
	case "draft":
		d, err := readDraft(c, def, step)
		if err != nil {
			return saidNothing, drafting{}, err
		}
		return saidDrafted, drafting{step, d.Texts}, p.Guide.Write(ctx, by, id, d)
	}
	return saidNothing, drafting{}, errs.New(errs.Invalid, "The form does not say what to do. Open the guide again and use its buttons.")
}

// readDraft reads the texts of a step's counters.
func readDraft(c echo.Context, def *connector.Definition, step string) (guide.Draft, error) {
	d := guide.Draft{Step: step, Texts: map[string]string{}}
	var err error
	if d.Revision, err = strconv.ParseInt(c.FormValue("revision"), 10, 64); err != nil {
		return d, errs.New(errs.Invalid, "The form does not say which state of the drafts it was made from. Open the guide again.")
	}
	if def == nil {
		return d, nil
	}
	gs, _ := def.SetUp().Step(step)
	for _, counter := range gs.Counters {
		d.Texts[counter.ID] = c.FormValue("draft." + counter.ID)
	}
	return d, nil
}

func (p guidePages) draw(c echo.Context, t guideTab) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	head, err := p.head(c, e, def, templates.TabGuide)
	if err != nil {
		return err
	}
	page := templates.EntryGuidePage{Frame: p.frame(c, "Set-up guide · "+string(e.ID), templates.SectionConfiguration), Entry: head,
		CanWrite: p.allows(c, configWrite)}
	if def == nil {
		page.None = "No definition knows this service, so there is no guide to it. The operator can add one: see --connectors."
		page.Errors, page.Refused = guideFaults(t.refuse, "nothing"), "Nothing was saved"
		return render(c, t.status, templates.EntryGuide(page))
	}
	v, err := p.guided(c, e, def)
	if err != nil {
		return err
	}
	page.Rehearsal = p.rehearses(def, v.open.Texts())
	judged := guide.Judge(def, v.facts, v.hand)
	page.Entry.GuideCount = strconv.Itoa(judged.Done) + " of " + strconv.Itoa(judged.Total)
	page.Heading = guideHeading(judged)
	p.fillKinds(&page, def, v.hand)
	for _, s := range judged.Steps {
		page.Steps = append(page.Steps, p.guideStep(v, s))
	}
	v.fillLimits(p.gate, &page)
	t.fill(&page)
	return render(c, t.status, templates.EntryGuide(page))
}

// fill puts what could not be saved back into the form that it came from.
func (t guideTab) fill(page *templates.EntryGuidePage) {
	if t.refuse == nil {
		return
	}
	page.Refused, page.Errors = "Nothing was saved", guideFaults(t.refuse, "guide")
	faults := errs.Fields(t.refuse)
	for i := range page.Steps {
		s := &page.Steps[i]
		for j := range s.Counters {
			counter := &s.Counters[j]
			if s.ID == t.typed.step && t.typed.texts != nil {
				*counter = retyped(*counter, t.typed.texts[counter.ID])
			}
			counter.Error = faults[counter.ID]
		}
	}
}

// guideFaults lists the faults of a form, each with its control; what is about no
// control leads to the heading with the id top.
func guideFaults(err error, top string) (out []templates.FieldError) {
	if err == nil {
		return nil
	}
	for field, msg := range errs.Fields(err) {
		control := "draft-" + field
		switch field {
		case "kind":
			control = "kind"
		case "note":
			control = top
		}
		out = append(out, templates.FieldError{Field: control, Msg: msg})
	}
	if len(out) == 0 {
		_, msg := errs.Of(err)
		out = append(out, templates.FieldError{Field: top, Msg: msg})
	}
	slices.SortFunc(out, func(a, b templates.FieldError) int { return strings.Compare(a.Field, b.Field) })
	return out
}

// guideHeading is "Four of seven steps are done".
func guideHeading(j guide.Judgement) string {
	switch {
	case j.Total == 0:
		return "Nothing is left to do"
	case j.Done == j.Total:
		return "All " + numberWord(j.Total) + " steps are done"
	case j.Done == 0:
		return "None of " + numberWord(j.Total) + " steps is done yet"
	}
	return headed(numberWord(j.Done)) + " of " + numberWord(j.Total) + " steps " + pick(j.Done == 1, "is", "are") + " done"
}

var numberWords = strings.Fields("no one two three four five six seven eight nine ten eleven twelve")

// numberWord writes small numbers in words.
func numberWord(n int) string {
	if n >= 0 && n < len(numberWords) {
		return numberWords[n]
	}
	return strconv.Itoa(n)
}

func headed(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
