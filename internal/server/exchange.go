package server

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/errs"
	"backoffice/internal/exchange"
	"backoffice/internal/secret"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// exchangePages take entries out as files, and in again by a plan.
type exchangePages struct{ gate }

const (
	importPath = "/config/import"
	planPath   = importPath + "/:plan"
)

// How much of a long list a page draws.
const (
	maxTicks    = 200
	maxPlanRows = 300
)

// maxUpload is a file with what a form has beside it.
const maxUpload = exchange.MaxFile + 1<<20

// readUpload reads a form with a file in it, all of it in memory: a file on the
// disk could have a secret in the clear.
func readUpload(c echo.Context) error {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, maxUpload)
	return formFault(r.ParseMultipartForm(maxUpload))
}

// askExport is GET /config/export, with ?ids= for what is named at first.
func (p exchangePages) askExport(c echo.Context) error {
	ids := c.QueryParam("ids")
	return p.drawExport(c, http.StatusOK, templates.ExportPage{All: ids == "", Ids: ids, YAML: true})
}

func (p exchangePages) drawExport(c echo.Context, status int, page templates.ExportPage) error {
	all, err := p.entries(c)
	if err != nil {
		return err
	}
	page.Frame = p.frame(c, "Export entries", templates.SectionConfiguration)
	page.Count, page.MaySeal = plural(len(all), "entry"), p.allows(c, auth.ConfigReveal)
	if len(all) > maxTicks {
		page.More = fmt.Sprintf("There are %s, too many to tick. Name them by their ids.", page.Count)
		return render(c, status, templates.Export(page))
	}
	ticked := c.Request().PostForm["id"]
	for _, e := range all {
		page.Entries = append(page.Entries, templates.ExportRow{ID: string(e.ID), Ticked: slices.Contains(ticked, string(e.ID))})
	}
	return render(c, status, templates.Export(page))
}

// export is POST /config/export.
func (p exchangePages) export(c echo.Context) error {
	page := templates.ExportPage{All: c.FormValue("which") != "some", Ids: c.FormValue("ids"), YAML: c.FormValue("format") != "json", Recipients: exchange.MeantAsRecipients(c.FormValue("recipients"))}
	order := exchange.Order{Shape: exchange.JSON, Recipients: c.FormValue("recipients")}
	if page.YAML {
		order.Shape = exchange.YAML
	}
	if strings.TrimSpace(order.Recipients) != "" {
		if err := p.may(c, auth.ConfigReveal); err != nil {
			return err
		}
	}
	var err error
	if order.IDs, err = p.chosenEntries(c, page); err == nil {
		var file []byte
		if file, err = p.Exchange.Export(c.Request().Context(), actor(c), order); err == nil {
			return p.send(c, order.Shape, file)
		}
	}
	faults := errs.Fields(err)
	if len(faults) == 0 {
		return err
	}
	because(c, err)
	page.IdsError, page.RecipientsError = faults["ids"], faults["recipients"]
	return p.drawExport(c, http.StatusUnprocessableEntity, page)
}

func (p exchangePages) send(c echo.Context, shape exchange.Shape, file []byte) error {
	name := fmt.Sprintf("backoffice-entries-%s.%s", p.Now().UTC().Format("20060102-150405"), shape)
	c.Response().Header().Set(echo.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", name))
	return c.Blob(http.StatusOK, map[exchange.Shape]string{exchange.JSON: "application/json", exchange.YAML: "application/yaml"}[shape], file)
}

// chosenEntries are the ids that the form asks for, of those that the person may
// know of. It returns an errs.Field on "ids".
func (p exchangePages) chosenEntries(c echo.Context, page templates.ExportPage) (out []config.ID, err error) {
	all, err := p.entries(c)
	if err != nil {
		return nil, err
	}
	named := auth.NewPattern(page.Ids)
	ticked := c.Request().PostForm["id"]
	for _, e := range all {
		if page.All || slices.Contains(ticked, string(e.ID)) || !named.All() && named.Covers(string(e.ID)) {
			out = append(out, e.ID)
		}
	}
	if len(out) == 0 && !named.All() {
		return nil, errs.Field("ids", "No entry that you may see has such an id.")
	}
	return out, nil
}

// askImport is GET /config/import.
func (p exchangePages) askImport(c echo.Context) error {
	return p.drawImport(c, http.StatusOK, templates.ImportPage{})
}

func (p exchangePages) drawImport(c echo.Context, status int, page templates.ImportPage) error {
	page.Frame = p.frame(c, "Import entries", templates.SectionConfiguration)
	page.Recipient = p.Exchange.Recipient()
	return render(c, status, templates.Import(page))
}

// upload is POST /config/import.
func (p exchangePages) upload(c echo.Context) error {
	file, err := uploaded(c)
	if err != nil {
		return err
	}
	token, err := p.Exchange.Load(actor(c), file, secret.NewText(c.FormValue("identity")))
	if faults := errs.Fields(err); len(faults) > 0 {
		because(c, err)
		return p.drawImport(c, http.StatusUnprocessableEntity, templates.ImportPage{FileError: faults["file"], IdentityError: faults["identity"]})
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, importPath+"/"+token)
}

// uploaded is the file of a form, or the text that was pasted in its place.
func uploaded(c echo.Context) ([]byte, error) {
	if form := c.Request().MultipartForm; form != nil && len(form.File["file"]) > 0 && form.File["file"][0].Size > 0 {
		f, err := form.File["file"][0].Open()
		if err != nil {
			return nil, fmt.Errorf("opening an upload: %w", err)
		}
		defer f.Close()
		return io.ReadAll(f)
	}
	return []byte(c.FormValue("text")), nil
}

// inSight is which entries the person may know of.
func (p exchangePages) inSight(c echo.Context) func(config.ID) bool {
	return func(id config.ID) bool { return p.covers(c, id) }
}

// plan is GET /config/import/:plan.
func (p exchangePages) plan(c echo.Context) error { return p.drawPlan(c, http.StatusOK, nil) }

// drawPlan draws the plan as it is now, with the choices of a form that was refused.
func (p exchangePages) drawPlan(c echo.Context, status int, refused error) error {
	token := pathParam(c, "plan")
	plan, err := p.Exchange.Plan(c.Request().Context(), actor(c), token, p.inSight(c))
	if err != nil {
		return err
	}
	page := templates.PlanPage{Frame: p.frame(c, "Plan of the import", templates.SectionConfiguration), URL: importPath + "/" + token,
		Origin: p.originOf(plan), Until: p.when(plan.Until), MayForce: p.allows(c, auth.ConfigPromote), Force: c.FormValue("then") == "force", Reason: c.FormValue("reason")}
	var counts []string
	for _, v := range planVerdicts {
		counts = append(counts, templates.Count(int64(plan.Count(v.verdict)))+" "+v.count)
	}
	page.Counts = strings.Join(append(counts, templates.Count(int64(len(plan.Faults)))+" cannot be taken"), " · ")
	for _, f := range plan.Faults {
		page.Faults = append(page.Faults, templates.PlanFault{Line: strconv.Itoa(f.Line), ID: f.ID, Text: f.Msg})
	}
	p.fillGroups(c, &page, plan)
	if refused != nil {
		because(c, refused)
		_, msg := errs.Of(refused)
		field := "plan"
		for _, name := range slices.Sorted(maps.Keys(errs.Fields(refused))) {
			msg = errs.Fields(refused)[name]
			if name == "reason" {
				field = name
			}
		}
		page.Error = templates.FieldError{Field: field, Msg: msg}
	}
	return render(c, status, templates.Plan(page))
}

func (p exchangePages) originOf(plan exchange.Plan) string {
	from := "The file does not say where it is from."
	switch {
	case plan.Own:
		from = "This instance wrote the file"
	case plan.From != "":
		from = "The file says that it is from " + plan.From
	default:
		return from
	}
	if plan.By != "" {
		from += ", exported by " + plan.By
	}
	if !plan.Exported.IsZero() {
		from += " " + p.when(plan.Exported).Ago
	}
	return from + "."
}

// planVerdicts are the verdicts in the order in which a page has them.
var planVerdicts = []struct {
	verdict              exchange.Verdict
	what                 templates.Verdict
	count, heading, hint string
	word                 string
}{
	{exchange.Conflict, templates.VerdictWarning, "to decide", "To decide", "Left out unless you decide otherwise", "Conflict"},
	{exchange.Create, templates.VerdictOK, "new", "New entries", "They are not here yet", "Create"},
	{exchange.Change, templates.VerdictOK, "changed", "Changes", "What differs from what is here", "Change"},
	{exchange.Same, templates.VerdictNotChecked, "the same", "", "", ""},
}

// fillGroups puts each row under its verdict.
func (p exchangePages) fillGroups(c echo.Context, page *templates.PlanPage, plan exchange.Plan) {
	page.Nothing = true
	for _, v := range planVerdicts {
		g := templates.PlanGroup{Heading: v.heading, Hint: v.hint}
		n := 0
		for at, i := range plan.Items {
			if i.Verdict != v.verdict {
				continue
			}
			n++
			switch {
			case n > maxPlanRows:
			case v.verdict == exchange.Same:
				page.Same = append(page.Same, string(i.ID))
			default:
				row := planRow(c, at, i)
				row.What, row.Word = v.what, v.word
				page.Nothing = page.Nothing && !row.CanLeave && !row.CanTake && len(row.Fields) == 0
				g.Rows = append(g.Rows, row)
			}
		}
		more := ""
		if n > maxPlanRows {
			more = templates.Count(int64(n-maxPlanRows)) + " more are not drawn here."
		}
		switch {
		case v.verdict == exchange.Same:
			page.SameHeading, page.SameMore = "Nothing to do for "+plural(n, "entry"), more
		case n > 0:
			if more != "" && v.verdict != exchange.Conflict {
				more += " They are imported too."
			}
			g.More = more
			page.Groups = append(page.Groups, g)
		}
	}
}

func planRow(c echo.Context, at int, i exchange.Item) templates.PlanRow {
	row := templates.PlanRow{ID: string(i.ID), Line: strconv.Itoa(i.Line), Why: i.Why, Notes: i.Notes,
		CanLeave: i.Verdict != exchange.Conflict, CanTake: i.Anyway,
		Leave: slices.Contains(c.Request().PostForm["leave"], string(i.ID)), Take: slices.Contains(c.Request().PostForm["anyway"], string(i.ID))}
	if i.After.Entry != "" {
		row.Diff = diffLines(i.Before, i.After, false)
	}
	for n, name := range i.Missing {
		row.Fields = append(row.Fields, templates.PlanField{Control: fmt.Sprintf("typed-%d-%d", at, n), Name: typedPrefix + string(i.ID) + " " + name, Label: name})
	}
	return row
}

// typedPrefix begins the name of a control for a secret that a file lacks. The id
// and the key follow, neither of which has a space.
const typedPrefix = "typed "

// decision reads what the person says to a plan.
func (p exchangePages) decision(c echo.Context) exchange.Decision {
	d := exchange.Decision{Reason: c.FormValue("reason"), Typed: map[config.ID]map[string]secret.Text{}}
	form := c.Request().PostForm
	for _, id := range form["leave"] {
		d.LeaveOut = append(d.LeaveOut, config.ID(id))
	}
	for _, id := range form["anyway"] {
		d.Anyway = append(d.Anyway, config.ID(id))
	}
	if c.FormValue("then") == "force" {
		d.Then = config.PutInForce
	}
	for name, values := range form {
		rest, ok := strings.CutPrefix(name, typedPrefix)
		id, key, two := strings.Cut(rest, " ")
		if !ok || !two {
			continue
		}
		if d.Typed[config.ID(id)] == nil {
			d.Typed[config.ID(id)] = map[string]secret.Text{}
		}
		d.Typed[config.ID(id)][key] = secret.NewText(values[0])
	}
	return d
}

// apply is POST /config/import/:plan.
func (p exchangePages) apply(c echo.Context) error {
	d := p.decision(c)
	if d.Then == config.PutInForce {
		if err := p.may(c, auth.ConfigPromote); err != nil {
			return err
		}
	}
	done, err := p.Exchange.Apply(c.Request().Context(), actor(c), pathParam(c, "plan"), d, p.inSight(c))
	kind, _ := errs.Of(err)
	switch {
	case err == nil:
		return p.see(c, "/config", flash{said: saidImported, n: done.Created + done.Changed})
	case kind == errs.Invalid || kind == errs.Conflict || kind == errs.Refused:
		return p.drawPlan(c, statuses[kind].status, err)
	}
	return err
}

// discard is POST /config/import/:plan/discard.
func (p exchangePages) discard(c echo.Context) error {
	if err := p.Exchange.Discard(actor(c), pathParam(c, "plan")); err != nil {
		return err
	}
	return p.see(c, "/config", flash{said: saidImportDropped})
}
