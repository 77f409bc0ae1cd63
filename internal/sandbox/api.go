package sandbox

import (
	"net/http"
	"strconv"
	"strings"
)

// A read is one resource of the API: the permission that it needs with these
// switches, and its body.
type read struct {
	needs func(Faults) (Permission, bool)
	body  func(c caller) any
}

// A caller is who reads: the workspace of the token, the page it asked for.
type caller struct {
	workspace     workspace
	faults        Faults
	page, perPage int
}

func always(p Permission) func(Faults) (Permission, bool) {
	return func(Faults) (Permission, bool) { return p, true }
}

var (
	readMe            = read{needsForMe, meBody}
	readAdmins        = read{always(ReadAdmins), adminsBody}
	readTeams         = read{func(f Faults) (Permission, bool) { return ReadAdmins, !f.TeamsFree }, teamsBody}
	readContacts      = read{always(ReadUsers), contactsBody}
	readConversations = read{always(ReadConversations), conversationsBody}
	readTags          = read{always(ReadTags), tagsBody}
	readArticles      = read{always(ReadArticles), articlesBody}
)

func needsForMe(f Faults) (Permission, bool) {
	enough := f.AdminsEnough && !f.Missing.Has(ReadAdmins)
	return ReadOneAdmin, !enough
}

// api serves one read: rate limit, token, version, permission, body.
func (p *Provider) api(rd read) func(*exchange) {
	return func(x *exchange) {
		if !p.withinLimit(x) {
			return
		}
		ws, ok := p.bearer(x)
		if !ok || !x.versionAccepted() || !x.permitted(rd) {
			return
		}
		page, perPage, ok := x.paging()
		if !ok {
			return
		}
		x.json(http.StatusOK, rd.body(caller{ws, x.faults, page, perPage}))
	}
}

// notFound answers for everything that the sandbox does not have.
func (p *Provider) notFound(x *exchange) {
	if p.withinLimit(x) {
		x.note("the sandbox has nothing here")
		x.errorList(http.StatusNotFound, "not_found", "Resource Not Found")
	}
}

// bearer finds the workspace of the token, or answers 401. Basic, as old
// clients used it, is refused.
func (p *Provider) bearer(x *exchange) (workspace, bool) {
	scheme, token, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	p.mu.Lock()
	i, known := p.ledger.workspaceOf(strings.TrimSpace(token))
	p.mu.Unlock()
	switch {
	case !strings.EqualFold(scheme, "Bearer"):
		x.note("no Bearer token came along")
	case !known:
		x.note("the sandbox did not issue this token")
	case x.faults.WrongRegion:
		x.note("the token is good, but refused as by another region's host")
	default:
		return workspaces[i], true
	}
	x.errorList(http.StatusUnauthorized, "unauthorized", "Access Token Invalid")
	return workspace{}, false
}

// versions are the documented values of Intercom-Version. They are no decimals:
// 2.10 is newer than 2.9.
var versions = map[string]bool{
	"1.0": true, "1.1": true, "1.2": true, "1.3": true, "1.4": true,
	"2.0": true, "2.1": true, "2.2": true, "2.3": true, "2.4": true, "2.5": true, "2.6": true, "2.7": true, "2.8": true, "2.9": true,
	"2.10": true, "2.11": true, "2.12": true, "2.13": true, "2.14": true, "2.15": true, "2.16": true, "Preview": true,
}

func (x *exchange) versionAccepted() bool {
	v := x.r.Header.Get("Intercom-Version")
	switch {
	case v == "" && !x.faults.VersionRequired, versions[v], v == "Unstable" && x.faults.Unstable, v == "2.17" && x.faults.Version217:
		return true
	case v == "":
		x.note("Intercom-Version is missing")
	default:
		x.note("Intercom-Version has a value that is not known")
	}
	message := "Requested resource is not available in current API version."
	if x.faults.VersionMessage == VersionNotFound {
		message = "The requested version could not be found"
	}
	x.errorList(http.StatusBadRequest, "intercom_version_invalid", message)
	return false
}

func (x *exchange) permitted(rd read) bool {
	need, needed := rd.needs(x.faults)
	if !needed || !x.faults.Missing.Has(need) {
		return true
	}
	x.note("the permission “" + need.String() + "” is switched off")
	if need == ReadOneAdmin && x.faults.AdminRefusal == Unauthorized401 {
		x.errorList(http.StatusUnauthorized, "token_unauthorized", "Not authorized to access resource")
		return false
	}
	x.errorList(http.StatusForbidden, "forbidden", "You do not have the required scope ("+permissionWords[need].scope+") to access this resource")
	return false
}

// paging reads page and per_page, or answers 400.
func (x *exchange) paging() (page, perPage int, ok bool) {
	page, okPage := x.number("page", 1, 1, 10_000)
	perPage, okPer := x.number("per_page", 50, 1, 150)
	if !okPage || !okPer {
		x.note("page or per_page is not a number within its bounds")
		x.errorList(http.StatusBadRequest, "parameter_invalid", "page and per_page must be positive numbers")
		return 0, 0, false
	}
	return page, perPage, true
}

func (x *exchange) number(name string, usual, least, most int) (int, bool) {
	text := x.r.URL.Query().Get(name)
	if text == "" {
		return usual, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= least && n <= most
}
