package server

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"backoffice/internal/auth"
	"backoffice/internal/errs"
	"backoffice/internal/secret"
	"backoffice/internal/signin"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// teamPages are about people: who they are, what they may do, how they come.
type teamPages struct{ gate }

// list is GET /team.
func (p teamPages) list(c echo.Context) error {
	return p.draw(c, http.StatusOK, templates.TeamPage{Invite: p.grantForm(c, auth.Grant{Role: auth.Viewer})})
}

func (p teamPages) draw(c echo.Context, status int, page templates.TeamPage) error {
	page.Frame = p.frame(c, "Team", templates.SectionTeam)
	people, err := p.Auth.People(c.Request().Context())
	if err != nil {
		return err
	}
	disabled := 0
	for _, who := range people {
		if !p.knows(c, who.User) {
			continue
		}
		if !who.Active() {
			disabled++
		}
		page.People = append(page.People, p.row(c, who))
	}
	page.Lead = teamLead(len(page.People), disabled)
	open, err := p.Auth.Invitations(c.Request().Context())
	if err != nil {
		return err
	}
	for _, inv := range open {
		if inv.Entries.Within(visitOf(c).user.Entries) {
			page.Invites = append(page.Invites, templates.InviteRow{Email: inv.Email, Role: roleName(inv.Role), Entries: entriesOf(inv.Entries), By: inv.ByName,
				Until: p.when(inv.Expires), CanWithdraw: p.allows(c, auth.TeamWrite) && visitOf(c).user.Reaches(inv.Grant)})
		}
	}
	fillMatrix(&page)
	return render(c, status, templates.Team(page))
}

// knows reports whether the person may know of u: who is for some entries knows
// those who are for no others.
func (g gate) knows(c echo.Context, u auth.User) bool {
	me := visitOf(c).user
	return u.ID == me.ID || u.Entries.Within(me.Entries)
}

func (p teamPages) row(c echo.Context, who auth.Person) templates.PersonRow {
	row := templates.PersonRow{Email: who.Email, Name: who.Name, You: who.ID == visitOf(c).user.ID, Role: roleName(who.Role), Entries: entriesOf(who.Entries),
		Seen: p.when(who.Seen), Disabled: !who.Active(), Factors: factorWords(who.User), Way: wayIn(who.User, who.Identities)}
	if p.allows(c, auditPermission) {
		row.History = "/audit?who=" + url.QueryEscape(who.Email)
	}
	if p.allows(c, auth.TeamWrite) && visitOf(c).user.Reaches(who.Grant) {
		row.URL = personURL(who.ID)
	}
	return row
}

// wayIn is how somebody signs in.
func wayIn(u auth.User, links []auth.Identity) string {
	switch names := providerNames(links); {
	case u.NoPassword && names == "":
		return "Nothing any more"
	case u.NoPassword:
		return names
	case names == "":
		return "Password"
	default:
		return "Password, " + names
	}
}

func personURL(id string) string { return "/team/" + url.PathEscape(id) }

func teamLead(people, disabled int) string {
	lead := pick(people == 1, "One person", templates.Count(int64(people))+" people")
	switch disabled {
	case 0:
	case 1:
		lead += ", one of them disabled"
	default:
		lead += ", " + templates.Count(int64(disabled)) + " of them disabled"
	}
	return lead + ". Whoever is new comes by a one-time link."
}

func roleName(r auth.Role) string {
	return strings.ToUpper(string(r[:min(1, len(r))])) + string(r[min(1, len(r)):])
}

// entriesOf is what a role is for, in a cell or a sentence.
func entriesOf(p auth.Pattern) string {
	if p.All() {
		return "all entries"
	}
	return p.Words()
}

// fillMatrix prints what each role may do once somebody is signed in.
func fillMatrix(page *templates.TeamPage) {
	for _, r := range auth.Roles() {
		page.Heads = append(page.Heads, roleName(r))
	}
	for _, r := range auth.Matrix() {
		if !r.Permission.NeedsPerson() {
			continue
		}
		row := templates.MatrixRow{Words: r.Words, House: r.House}
		for i, cell := range r.Cells {
			row.Cells = append(row.Cells, templates.MatrixCell{Role: page.Heads[i], Text: string(cell)})
		}
		page.Matrix = append(page.Matrix, row)
	}
}

// grantForm offers the roles that the person may give.
func (p teamPages) grantForm(c echo.Context, now auth.Grant) templates.GrantForm {
	f := templates.GrantForm{Entries: string(now.Entries)}
	for _, r := range auth.Roles() {
		if visitOf(c).user.Reaches(auth.Grant{Role: r, Entries: visitOf(c).user.Entries}) {
			f.Roles = append(f.Roles, templates.RoleChoice{Name: string(r), Label: roleName(r), Words: r.Words(), Selected: r == now.Role})
		}
	}
	return f
}

// readGrant reads role and entries of a form.
func readGrant(c echo.Context) auth.Grant {
	return auth.Grant{Role: auth.Role(c.FormValue("role")), Entries: auth.NewPattern(c.FormValue("entries"))}
}

// refusedForm is the form as it was sent, with what is wrong with it.
func (p teamPages) refusedForm(c echo.Context, g auth.Grant, err error) templates.GrantForm {
	f, faults := p.grantForm(c, g), errs.Fields(err)
	f.Email, f.EmailError, f.RoleError, f.EntriesError = c.FormValue("email"), faults["email"], faults["role"], faults["entries"]
	if errs.Is(err, errs.Refused) {
		_, f.EntriesError = errs.Of(err)
	}
	return f
}

// invite is POST /team/invite. Its answer is the only page that ever has the link.
func (p teamPages) invite(c echo.Context) error {
	g := readGrant(c)
	token, err := p.Auth.Invite(c.Request().Context(), actor(c), c.FormValue("email"), g)
	if len(errs.Fields(err)) > 0 || errs.Is(err, errs.Refused) {
		because(c, err)
		kind, _ := errs.Of(err)
		return p.draw(c, statuses[kind].status, templates.TeamPage{Invite: p.refusedForm(c, g, err)})
	}
	if err != nil {
		return err
	}
	inv, err := p.Auth.CheckInvitation(c.Request().Context(), token)
	if err != nil {
		return err
	}
	return p.draw(c, http.StatusOK, templates.TeamPage{Invite: p.grantForm(c, auth.Grant{Role: auth.Viewer}),
		OneTime: templates.OneTime{Address: p.origin() + "/invite?token=" + token.Reveal(), For: inv.Email, Until: p.when(inv.Expires)}})
}

// withdraw is POST /team/withdraw.
func (p teamPages) withdraw(c echo.Context) error {
	if err := p.Auth.Withdraw(c.Request().Context(), actor(c), c.FormValue("email")); err != nil {
		return err
	}
	return p.see(c, "/team", flash{said: saidWithdrawn})
}

// person reads whom the path names. Somebody whom one may not know is nobody.
func (p teamPages) person(c echo.Context) (auth.User, error) {
	u, err := p.Auth.User(c.Request().Context(), pathParam(c, "user"))
	if err == nil && !p.knows(c, u) {
		err = errs.New(errs.NotFound, "This account does not exist.")
	}
	if err == nil && !visitOf(c).user.Reaches(u.Grant) {
		err = errs.New(errs.Refused, "Only an owner can change an owner.")
	}
	return u, err
}

// show is GET /team/:user.
func (p teamPages) show(c echo.Context) error {
	u, err := p.person(c)
	if err != nil {
		return err
	}
	return p.drawPerson(c, http.StatusOK, u, templates.PersonPage{Form: p.grantForm(c, u.Grant)})
}

// factorWords says which second factors there are, as a sentence begins.
func factorWords(u auth.User) string {
	words := u.Factors()
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

func (p teamPages) drawPerson(c echo.Context, status int, u auth.User, page templates.PersonPage) error {
	page.Frame = p.frame(c, u.Email+" · Team", templates.SectionTeam)
	page.URL, page.Email, page.Name, page.You, page.Disabled = personURL(u.ID), u.Email, u.Name, u.ID == visitOf(c).user.ID, !u.Active()
	page.Facts = []templates.Fact{{Label: "E-mail", Text: u.Email}, {Label: "Role", Text: roleName(u.Role) + ", " + entriesOf(u.Entries)},
		{Label: "Account made", Text: p.when(u.Created).Exact}}
	links, err := p.Auth.Identities(c.Request().Context(), u.ID)
	if err != nil {
		return err
	}
	page.Linked = len(links) > 0
	page.Facts = append(page.Facts, templates.Fact{Label: "Signs in by", Text: wayIn(u, links)})
	for _, x := range links {
		page.Facts = append(page.Facts, templates.Fact{Label: "There", Text: cmp.Or(x.Email, "without an address") + ", last " + p.when(x.Last).Exact})
	}
	if u.Mapped {
		page.Facts = append(page.Facts, templates.Fact{Label: "Role from", Text: "A group at the provider, at every sign-in"})
	}
	second := templates.Fact{Label: "Second factor", Text: "None", Verdict: templates.VerdictNotChecked}
	if page.Factor = u.HasFactor(); page.Factor {
		second.Text = factorWords(u)
		second.Verdict = templates.VerdictOK
	}
	page.Facts = append(page.Facts, second)
	if p.allows(c, auth.TeamSessions) {
		if page.Sessions, err = p.sessionRows(c, u.ID); err != nil {
			return err
		}
	}
	return render(c, status, templates.TeamMember(page))
}

// change does something to the person in the path. What is refused is said on the
// page of the person.
func (p teamPages) change(c echo.Context, said said, do func(auth.User) error) error {
	u, err := p.person(c)
	if err != nil {
		return err
	}
	err = do(u)
	if err == nil {
		if u.ID == visitOf(c).user.ID { // all sessions ended; this one goes on, renewed
			return p.renewed(c, u.ID, said)
		}
		return p.see(c, personURL(u.ID), flash{said: said})
	}
	kind, msg := errs.Of(err)
	if kind != errs.Invalid && kind != errs.Refused {
		return err
	}
	because(c, err)
	page := templates.PersonPage{Form: p.grantForm(c, u.Grant)}
	if c.FormValue("role") != "" {
		page.Form = p.refusedForm(c, readGrant(c), err)
	}
	if len(page.Form.Errors()) == 0 {
		page.Notice = templates.Notice{Verdict: templates.VerdictWarning, Heading: "Nothing was changed", Text: msg, Refused: true}
	}
	return p.drawPerson(c, statuses[kind].status, u, page)
}

// renewed goes on with a new session, for who has changed the own rights.
func (p teamPages) renewed(c echo.Context, id string, said said) error {
	u, err := p.Auth.User(c.Request().Context(), id)
	if err != nil {
		return err
	}
	if !u.Active() {
		return c.Redirect(http.StatusSeeOther, "/login")
	}
	if _, err := p.Sessions.Renew(c.Response(), c.Request(), u, visitOf(c).addr); err != nil {
		return err
	}
	return p.see(c, "/account", flash{said: said})
}

// grant is POST /team/:user.
func (p teamPages) grant(c echo.Context) error {
	return p.change(c, saidGrant, func(u auth.User) error {
		return p.Auth.SetGrant(c.Request().Context(), actor(c), u.ID, readGrant(c))
	})
}

// disable is POST /team/:user/disable.
func (p teamPages) disable(c echo.Context) error {
	return p.change(c, saidDisabled, func(u auth.User) error { return p.Auth.Disable(c.Request().Context(), actor(c), u.ID) })
}

// enable is POST /team/:user/enable.
func (p teamPages) enable(c echo.Context) error {
	return p.change(c, saidEnabled, func(u auth.User) error { return p.Auth.Enable(c.Request().Context(), actor(c), u.ID) })
}

// unlink is POST /team/:user/unlink.
func (p teamPages) unlink(c echo.Context) error {
	return p.change(c, saidUnlinked, func(u auth.User) error { return p.Auth.Unlink(c.Request().Context(), actor(c), u.ID) })
}

// endSessions is POST /team/:user/sessions: one session of somebody else, or all.
func (p teamPages) endSessions(c echo.Context) error {
	return p.change(c, saidEnded, func(u auth.User) error {
		_, err := p.Sessions.End(c.Request().Context(), actor(c), auth.Ending{UserID: u.ID, Handle: c.FormValue("session")})
		return err
	})
}

// askInvite is GET /invite, with the token of a one-time link.
func (p doorPages) askInvite(c echo.Context) error {
	return p.drawInvite(c, http.StatusOK, secret.NewText(c.QueryParam("token")), nil)
}

func (p doorPages) drawInvite(c echo.Context, status int, token secret.Text, err error) error {
	inv, gone := p.Auth.CheckInvitation(c.Request().Context(), token)
	if gone != nil {
		return gone
	}
	because(c, err)
	faults := errs.Fields(err)
	offer, ok, offerErr := p.SignIn.Offered(c.Request().Context())
	if offerErr != nil {
		return offerErr
	}
	if !ok {
		offer = signin.Offer{}
	}
	return render(c, status, templates.Invite(templates.InvitePage{Stage: p.stage(c), OneTime: token.Reveal(), Email: inv.Email, Role: string(inv.Role),
		Entries: entriesOf(inv.Entries), By: inv.ByName, Name: c.FormValue("name"), MinLength: minPassword, Provider: offer.Button, NoOwn: offer.OwnersOnly && inv.Role != auth.Owner,
		NameError: faults["name"], PasswordError: faults["password"], RepeatError: faults["password2"]}))
}

// join is POST /invite.
func (p doorPages) join(c echo.Context) error {
	token := secret.NewText(c.FormValue("token"))
	by := actor(c)
	by.ID, by.Name = "", "" // whoever is signed in here need not be who was invited
	u, err := p.Auth.Join(c.Request().Context(), by, auth.NewPerson{Token: token, Name: c.FormValue("name"),
		Password: secret.NewText(c.FormValue("password")), Again: secret.NewText(c.FormValue("password2"))})
	if len(errs.Fields(err)) > 0 {
		return p.drawInvite(c, http.StatusUnprocessableEntity, token, err)
	}
	if err != nil {
		return err
	}
	if _, err := p.Sessions.Renew(c.Response(), c.Request(), u, visitOf(c).addr); err != nil {
		return err
	}
	return p.see(c, "/", flash{said: saidJoined})
}
