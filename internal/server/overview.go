package server

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/config"
	"backoffice/internal/oauth"
	"backoffice/internal/webhook"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// boardCap is how many entries the overview draws.
const boardCap = 60

// overview is GET /.
func (p housePages) overview(c echo.Context) error {
	every, err := p.listed(c)
	if err != nil {
		return err
	}
	page := templates.OverviewPage{Frame: p.frame(c, "Overview", templates.SectionOverview), NoEntries: len(every.rows) == 0}
	for _, r := range every.rows {
		p.notice(&page, r)
		if err := p.pending(c, &page, r); err != nil {
			return err
		}
		if len(page.Board) < boardCap {
			page.Board = append(page.Board, templates.BoardEntry{ID: string(r.entry.ID), Health: r.standing.Health})
		}
	}
	if len(every.rows) > boardCap {
		page.BoardMore = "Show all " + plural(len(every.rows), "entry")
	}
	for _, h := range templates.Healths() {
		if n := every.counts[h]; n > 0 {
			page.Tally = append(page.Tally, templates.HealthCount{Health: h, Count: templates.Count(int64(n))})
		}
	}
	if page.Awaited, page.AwaitMore, err = p.awaited(c, every); err != nil {
		return err
	}
	if err := p.refusals(c, &page); err != nil {
		return err
	}
	if err := p.expiries(c, &page); err != nil {
		return err
	}
	if err := p.reverts(c, &page); err != nil {
		return err
	}
	page.Attention = mostHarm(page.Attention)
	if page.Alarm, err = p.logAlarm(c); err != nil {
		return err
	}
	if page.Backup, err = p.backupNotice(c); err != nil {
		return err
	}
	page.Heading, page.Summary = headline(tally{every.counts, len(every.rows), every.waiting, len(page.Attention)})
	if page.Events, err = p.lastEvents(c); err != nil {
		return err
	}
	if page.Radar, err = p.radar(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, templates.Overview(page))
}

// pending puts an entry among the pending changes, if it has one.
func (p housePages) pending(c echo.Context, page *templates.OverviewPage, r *listRow) error {
	const most = 8
	if r.entry.Pending == 0 || len(page.Pending) >= most {
		return nil
	}
	row, err := p.pendingRow(c, r)
	if err != nil {
		return err
	}
	page.Pending = append(page.Pending, row)
	return nil
}

func (p housePages) pendingRow(c echo.Context, r *listRow) (templates.PendingRow, error) {
	changes, err := p.pendingChanges(c, *r.entry)
	if err != nil {
		return templates.PendingRow{}, err
	}
	waits, err := p.approvalWord(c, *r.entry)
	return templates.PendingRow{ID: string(r.entry.ID), Version: strconv.Itoa(r.entry.Pending), Health: r.pending.Health,
		Fact: r.pending.Fact, Changes: changes, Waits: waits, By: r.entry.ChangedBy, When: p.when(r.entry.Changed)}, err
}

// pendingChanges names what the pending version changes.
func (p housePages) pendingChanges(c echo.Context, e config.Entry) (string, error) {
	if e.Current == 0 {
		return "The first version", nil
	}
	now, err := p.Config.Version(c.Request().Context(), e.ID, e.Current)
	if err != nil {
		return "", err
	}
	then, err := p.Config.Version(c.Request().Context(), e.ID, e.Pending)
	if err != nil {
		return "", err
	}
	diff := config.Diff(now, then)
	var names []string
	for _, d := range diff[:min(len(diff), 3)] {
		names = append(names, d.Name)
	}
	if len(diff) > len(names) {
		names = append(names, plural(len(diff)-len(names), "thing")+" more")
	}
	return "Changes " + strings.Join(names, ", "), nil
}

// attentionShown is how many entries the overview names as needing attention.
const attentionShown = 8

// notice puts an entry among those that need attention, unless there are enough
// of its kind.
func (p housePages) notice(page *templates.OverviewPage, r *listRow) {
	s := r.standing
	if sameStatus(page.Attention, s.Health) >= attentionShown {
		return
	}
	row := templates.AttentionRow{ID: string(r.entry.ID), Status: s.Health, Fact: s.Fact}
	def, _ := p.Catalogue.Get(r.entry.Connector)
	row.Initial = initial(def, r.entry.ID)
	who := "In force."
	if r.entry.Current == 0 {
		who = "Nothing of it is in force yet, so nobody is affected."
	}
	switch s.Health {
	case templates.HealthWrong:
		if s.Radar {
			row.Detail, row.Action = who+" The radar saw it.", templates.Link{Label: "Test it", URL: entryURL(r.entry.ID) + "/test"}
			break
		}
		row.Detail, row.Action = who, templates.Link{Label: "See the report", URL: entryURL(r.entry.ID) + "/test"}
	case templates.HealthInconclusive:
		row.Detail, row.Action = who+" The last test could not decide.", templates.Link{Label: "See the report", URL: entryURL(r.entry.ID) + "/test"}
	case templates.HealthStale:
		row.Detail, row.Action = who+staleness(s), templates.Link{Label: "Test it again", URL: entryURL(r.entry.ID) + "/test"}
	case templates.HealthNotTested:
		row.Detail, row.Action = who+" Nobody has tested it.", templates.Link{Label: "Test it", URL: entryURL(r.entry.ID) + "/test"}
	case templates.HealthWorks:
		if r.entry.Current != 0 && !s.Partial {
			return
		}
		if s.Partial {
			row.Detail, row.Action = who+" Only calls that need the missing permission are affected.", templates.Link{Label: "See the report", URL: entryURL(r.entry.ID) + "/test"}
			break
		}
		row.Fact, row.Detail, row.Action = "Tested, and not in force yet", "Consumers get no values until it is.", templates.Link{Label: "Put it in force", URL: entryURL(r.entry.ID)}
		if p.Config.RuleOf(*r.entry).Person() && !r.entry.Approved() {
			row.Detail, row.Action.Label = "A second person has to approve it first.", "Look at it"
		}
	default:
		return
	}
	page.Attention = append(page.Attention, row)
}

// refusals puts the entries first whose notifications were refused lately.
func (p housePages) refusals(c echo.Context, page *templates.OverviewPage) error {
	const looked, shown = 200, 3
	if !p.allows(c, newsPermission) {
		return nil
	}
	all, err := p.entries(c)
	if err != nil {
		return err
	}
	found, err := p.Webhooks.List(c.Request().Context(), webhook.Filter{Refused: true, From: p.Now().Add(-24 * time.Hour), Limit: looked, Only: p.newsSight(c)})
	if err != nil {
		return err
	}
	count, ours := map[string]int{}, map[string]bool{}
	var owners []string // the one of the newest first
	for _, n := range found.Notifications {
		if count[n.Owner] == 0 && isThere(all, n.Owner) {
			owners = append(owners, n.Owner)
		}
		count[n.Owner]++
		ours[n.Owner] = ours[n.Owner] || n.Explanation != nil && n.Explanation.Signer != nil
	}
	var rows []templates.AttentionRow
	for _, owner := range owners[:min(len(owners), shown)] {
		id := config.ID(owner)
		row := templates.AttentionRow{ID: owner, Initial: initial(p.Config.Definition(id), id), Status: templates.HealthInconclusive,
			Fact: plural(count[owner], "notification") + " " + pick(count[owner] == 1, "was", "were") + " refused", Detail: "In the last 24 hours. None has a signature of a secret that is known here, so anybody may have sent them.",
			Action: templates.Link{Label: "See why", URL: notificationsPath + "?entry=" + owner + "&verdict=refused"}}
		if ours[owner] {
			row.Status, row.Detail = templates.HealthWrong, "In the last 24 hours. At least one was signed with a secret of the entry: what it said is lost unless it is sent again."
		}
		rows = append(rows, row)
	}
	page.Attention = append(rows, page.Attention...)
	return nil
}

// staleness says why an entry is stale.
func staleness(s standing) string {
	if s.Earlier != 0 {
		return fmt.Sprintf(" It has not been tested; version %d was.", s.Earlier)
	}
	return fmt.Sprintf(" Its last good test is more than %d days old.", int(oauth.StaleAfter.Hours()/24))
}

// mostHarm keeps the first few of those that need attention: most harm first.
func mostHarm(rows []templates.AttentionRow) []templates.AttentionRow {
	order := templates.Healths()
	slices.SortStableFunc(rows, func(a, b templates.AttentionRow) int {
		return slices.Index(order, a.Status) - slices.Index(order, b.Status)
	})
	return rows[:min(len(rows), attentionShown)]
}

func sameStatus(rows []templates.AttentionRow, h templates.Health) (n int) {
	for _, r := range rows {
		if r.Status == h {
			n++
		}
	}
	return n
}

// A tally is what the heading of the overview rests on.
type tally struct {
	counts    map[templates.Health]int
	total     int // entries
	pending   int // changes
	attention int // things that need a look
}

// headline is the state of everything in one sentence.
func headline(t tally) (heading, summary string) {
	counts, total, pending := t.counts, t.total, t.pending
	if total == 0 {
		return "Nothing is configured yet", ""
	}
	switch wrong, open := counts[templates.HealthWrong], counts[templates.HealthNotTested]+counts[templates.HealthStale]+counts[templates.HealthInconclusive]; {
	case wrong == 1:
		heading = "1 connector is broken"
	case wrong > 1:
		heading = fmt.Sprintf("%d connectors are broken", wrong)
	case open > 0:
		heading = plural(open, "entry") + " " + pick(open == 1, "waits", "wait") + " for a test"
	case t.attention > 0:
		heading = "Every connection works, but something needs attention"
	default:
		heading = "Everything works"
	}
	summary = fmt.Sprintf("%s of %s %s.", templates.Count(int64(counts[templates.HealthWorks])), plural(total, "entry"), pick(counts[templates.HealthWorks] == 1 || total == 1, "works", "work"))
	if pending > 0 {
		summary += " " + plural(pending, "change") + " " + pick(pending == 1, "is", "are") + " pending."
	}
	return heading, summary
}

func (p housePages) lastEvents(c echo.Context) (out []templates.EventLine, err error) {
	if !p.allows(c, auditPermission) {
		return nil, nil
	}
	log, err := p.Audit.List(c.Request().Context(), audit.Filter{Limit: 6, Only: p.sight(c)})
	if err != nil {
		return nil, err
	}
	for _, e := range log.Events {
		out = append(out, templates.EventLine{Number: strconv.FormatInt(e.N, 10), Sentence: sentence(e), By: e.Actor.Name, When: p.when(e.Time)})
	}
	return out, nil
}

// boardOf is the entries that f chooses, each with its health.
func (g gate) boardOf(c echo.Context, f func(config.Entry) bool) (out []templates.BoardEntry, err error) {
	every, err := g.listed(c)
	if err != nil {
		return nil, err
	}
	for _, r := range every.rows {
		if f(*r.entry) && len(out) < boardCap {
			out = append(out, templates.BoardEntry{ID: string(r.entry.ID), Health: r.standing.Health})
		}
	}
	return out, nil
}
