package sandbox

import (
	"fmt"
	"strconv"
	"time"

	"backoffice/internal/errs"
)

// A Basis says how well a behaviour is known.
type Basis string

// How well a behaviour is known.
const (
	Documented  Basis = "Documented"  // by Intercom: the usual position of the switch is its word
	Unconfirmed Basis = "Unconfirmed" // Intercom does not say; the usual position is a choice of the sandbox
	ThirdParty  Basis = "Third party" // others say so, Intercom does not
	Fault       Basis = "Fault"       // nothing that Intercom is said to do; for rehearsing trouble
)

// A control is one switch as the control page shows it. Its value is text: ""
// and "on" for a checkbox, an option's value for a choice, digits for a number.
type control struct {
	name, label, help string
	basis             Basis
	options           []option // a choice
	number            bool
	unit              string
	most              int
	get               func(*Faults) string
	set               func(*Faults, string) error
}

type option struct{ value, label string }

// A group is switches that belong together.
type group struct {
	id, title, words string
	controls         []control
}

// flag is a checkbox over a bool; with inverted, checked is false.
func flag(name, label string, basis Basis, help string, inverted bool, ref func(*Faults) *bool) control {
	c := control{name: name, label: label, basis: basis, help: help}
	c.get = func(f *Faults) string {
		if *ref(f) != inverted {
			return "on"
		}
		return ""
	}
	c.set = func(f *Faults, text string) error {
		if text != "" && text != "on" {
			return errs.Field(name, label+": a checkbox is on or off.")
		}
		*ref(f) = (text == "on") != inverted
		return nil
	}
	return c
}

// pick is a choice; the options stand in the order of the constants.
func pick[T ~int](name, label string, basis Basis, help string, ref func(*Faults) *T, options ...option) control {
	c := control{name: name, label: label, basis: basis, help: help, options: options}
	c.get = func(f *Faults) string { return options[*ref(f)].value }
	c.set = func(f *Faults, text string) error {
		for i, o := range options {
			if o.value == text {
				*ref(f) = T(i)
				return nil
			}
		}
		return errs.Field(name, label+": choose one of the list.")
	}
	return c
}

// count is a number from 0 to most.
func count(name, label string, basis Basis, help, unit string, most int, get func(*Faults) int, set func(*Faults, int)) control {
	c := control{name: name, label: label, basis: basis, help: help, number: true, unit: unit, most: most}
	c.get = func(f *Faults) string { return strconv.Itoa(get(f)) }
	c.set = func(f *Faults, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > most {
			return errs.Field(name, fmt.Sprintf("%s: a whole number from 0 to %d.", label, most))
		}
		set(f, n)
		return nil
	}
	return c
}

// groups is every switch of the control page. Nothing else says which of them
// is documented.
var groups = []group{
	{"consent", "Consent page and callback", "GET /oauth, and what it brings back to the redirect URI.", consentControls()},
	{"token", "Token endpoint", "POST /auth/eagle/token.", tokenControls()},
	{"api", "API", "GET /me, /admins, /teams, /contacts, /conversations, /tags and /articles.", apiControls()},
	{"permissions", "Permissions of the app", "Untick one and its reads are refused with “You do not have the required scope”. Those words are documented for read_conversations; that the others are worded alike is unconfirmed, and so is most of what needs which permission.", permissionControls()},
}

func consentControls() []control {
	return []control{
		pick("decides", "Where a bad client id or redirect URI is refused", Unconfirmed, "Servers differ, and Intercom does not say.",
			func(f *Faults) *Decides { return &f.Decides },
			option{"at-once", "By the first answer"}, option{"after-redirect", "After the same redirect to a login route for everybody"}, option{"after-sign-in", "After the same sign-in page for everybody"}),
		pick("refusal", "How it is refused", Unconfirmed, "Never by a redirect to the product.",
			func(f *Faults) *Refusal { return &f.Refusal },
			option{"page", "Error page"}, option{"redirect", "Redirect to an error page"}),
		flag("loopback", "Accept any loopback redirect URI", Unconfirmed, "For rehearsals on any port of this machine. Intercom documents HTTPS and registered URLs; whether it accepts localhost is unconfirmed.", true,
			func(f *Faults) *bool { return &f.StrictRedirects }),
		flag("raw-equals", "Leave the = of the code unescaped", Unconfirmed, "A code can end in =. A correct server escapes it in the callback, not every server does.", false,
			func(f *Faults) *bool { return &f.RawEquals }),
		pick("denied", "What Deny brings back", Unconfirmed, "Intercom does not document a denied callback.",
			func(f *Faults) *Denied { return &f.Denied },
			option{"error", "error=access_denied and state"}, option{"bare", "state alone"}),
		pick("state", "What becomes of state", Documented, "Documented: returned unchanged. The others are faults.",
			func(f *Faults) *StateWay { return &f.State },
			option{"kept", "Returned unchanged"}, option{"altered", "One character too many"}, option{"lost", "Left out"}),
	}
}

func tokenControls() []control {
	return []control{
		pick("secrets", "Client secrets that hold", Unconfirmed, "For rehearsing the replacement of a secret. Whether an old and a new secret of Intercom hold beside each other is undocumented.",
			func(f *Faults) *Secrets { return &f.Secrets },
			option{"first", "The first"}, option{"both", "Both"}, option{"second", "The second"}),
		pick("client-auth", "Client authentication", Documented, "Documented: id and secret as parameters. Whether Basic is accepted too is unconfirmed.",
			func(f *Faults) *ClientAuth { return &f.ClientAuth },
			option{"post", "Form fields only"}, option{"basic", "Basic only"}, option{"either", "Either, but not both"}),
		pick("order", "What is checked first", Unconfirmed, "Intercom publishes neither the order nor the answer for a bad client. The words are the sandbox's own.",
			func(f *Faults) *Order { return &f.Order },
			option{"client", "The client: one error for a bad id or secret"}, option{"client-distinct", "The client: bad id and bad secret told apart"}, option{"code", "The code: used up even if the client is refused"}),
		pick("errors", "Format of errors", Unconfirmed, "Documented is status 401 with “Unauthorized Code”; the body around it is unconfirmed.",
			func(f *Faults) *ErrorForm { return &f.ErrorForm },
			option{"list", "error.list, as in the API"}, option{"rfc", "error and error_description (RFC 6749)"}),
		pick("fields", "Where the token stands", Documented, "Documented: both, with the same value.",
			func(f *Faults) *TokenFields { return &f.TokenFields },
			option{"both", "token and access_token"}, option{"token", "token only"}, option{"access-token", "access_token only"}),
		pick("redirect-match", "redirect_uri of the token request", Unconfirmed, "Intercom documents three parameters without it; clients send it all the same.",
			func(f *Faults) *RedirectMatch { return &f.RedirectMatch },
			option{"sent", "Compared if it is sent"}, option{"required", "Required and compared"}, option{"ignored", "Ignored"}),
		flag("errors-200", "Errors come with status 200", Fault, "Some providers do this.", false, func(f *Faults) *bool { return &f.ErrorAs200 }),
		flag("random-words", "A random reference in each error", Fault, "Makes every answer different in its words.", false, func(f *Faults) *bool { return &f.RandomWords }),
		flag("token-counts", "Token requests count towards the rate limit", Unconfirmed, "", false, func(f *Faults) *bool { return &f.TokenCounts }),
	}
}

func apiControls() []control {
	return []control{
		count("limit", "Rate limit", Documented, "0 is the documented 1,666 in ten seconds: 10,000 a minute. That calls are counted by tens of seconds is documented too; the body of a 429 is not.", "requests in 10 s", maxLimit,
			func(f *Faults) int { return f.Limit }, func(f *Faults, n int) { f.Limit = n }),
		pick("admin-refusal", "GET /me without “Read one admin”", Unconfirmed, "That it needs the permission comes from Intercom's own client; the status does not.",
			func(f *Faults) *AdminRefusal { return &f.AdminRefusal },
			option{"403", "403 forbidden"}, option{"401", "401 token_unauthorized"}),
		flag("admins-enough", "“Read admins” is enough for GET /me", Unconfirmed, "", false, func(f *Faults) *bool { return &f.AdminsEnough }),
		flag("teams", "GET /teams needs “Read admins”", Unconfirmed, "No permission for teams is documented.", true, func(f *Faults) *bool { return &f.TeamsFree }),
		pick("region", "Region in GET /me", Unconfirmed, "Only US appears in Intercom's examples; EU and AU are assumed spellings.",
			func(f *Faults) *Region { return &f.Region },
			option{"workspace", "The workspace’s"}, option{"us", "US"}, option{"eu", "EU"}, option{"au", "AU"}),
		flag("wrong-region", "Refuse every token, as another region's host would", Unconfirmed, "Intercom says that it tries to route to the right region; what it answers when it cannot is unconfirmed.", false, func(f *Faults) *bool { return &f.WrongRegion }),
		pick("email", "email_verified in GET /me", Documented, "Documented: true, false or null.",
			func(f *Faults) *Email { return &f.Email },
			option{"true", "true"}, option{"false", "false"}, option{"null", "null"}),
		pick("version-message", "Words for an unknown Intercom-Version", Documented, "400 intercom_version_invalid and the first words are documented, the second are a third party's.",
			func(f *Faults) *VersionMessage { return &f.VersionMessage },
			option{"unavailable", "Requested resource is not available in current API version."}, option{"not-found", "The requested version could not be found"}),
		flag("version-required", "Refuse a request without Intercom-Version", ThirdParty, "Documented: the version set on the app applies.", false, func(f *Faults) *bool { return &f.VersionRequired }),
		flag("unstable", "Accept Intercom-Version: Unstable", Unconfirmed, "The old name of Preview.", false, func(f *Faults) *bool { return &f.Unstable }),
		flag("version-217", "Accept Intercom-Version: 2.17", Unconfirmed, "It has pages in the documentation, but no published description.", false, func(f *Faults) *bool { return &f.Version217 }),
	}
}

func permissionControls() []control {
	out := make([]control, 0, permissions)
	for p := range permissions {
		w := permissionWords[p]
		c := control{name: w.key, label: w.label, help: w.reads}
		c.get = func(f *Faults) string {
			if f.Missing.Has(p) {
				return ""
			}
			return "on"
		}
		c.set = func(f *Faults, text string) error {
			f.Missing |= 1 << p
			if text == "on" {
				f.Missing &^= 1 << p
			}
			return nil
		}
		out = append(out, c)
	}
	return out
}

var troubleLabels = [kinds]string{
	None: "none", ServerError: "500 in the API's error format", Down: "503 with an HTML page", HTML: "200 with an HTML page", Garbage: "JSON that breaks off",
	Huge: "a body of 2 MiB", GzipBomb: "a gzip bomb", TooMany: "429", Cut: "connection cut before the answer", CutMidway: "connection cut in the body",
	RedirectSame: "redirect within the sandbox", RedirectAway: "redirect to another host",
}

var troubleValues = [kinds]string{"none", "500", "503", "html", "garbage", "huge", "gzip-bomb", "429", "cut", "cut-midway", "redirect", "redirect-away"}

var endpointWords = [endpoints]struct{ key, label string }{
	AtAuthorize: {"authorize", "GET /oauth"}, AtToken: {"token", "POST /auth/eagle/token"}, AtMe: {"me", "GET /me"}, AtAPI: {"api", "The other reads"},
}

// troubles is one group an endpoint: what goes wrong, how slowly, from when on.
var troubles = troubleGroups()

func troubleGroups() []group {
	options := make([]option, kinds)
	for k := range kinds {
		options[k] = option{troubleValues[k], troubleLabels[k]}
	}
	var out []group
	for at := range endpoints {
		w := endpointWords[at]
		out = append(out, group{id: "trouble-" + w.key, title: w.label, controls: []control{
			pick(w.key+".trouble", "What happens", Fault, "", func(f *Faults) *Kind { return &f.Trouble[at].Kind }, options...),
			count(w.key+".delay", "Wait", Fault, "", "seconds", int(MaxDelay/time.Second),
				func(f *Faults) int { return int(f.Trouble[at].Delay / time.Second) }, func(f *Faults, n int) { f.Trouble[at].Delay = time.Duration(n) * time.Second }),
			count(w.key+".after", "Let pass", Fault, "", "requests", maxAfter,
				func(f *Faults) int { return f.Trouble[at].After }, func(f *Faults, n int) { f.Trouble[at].After = n }),
		}})
	}
	return out
}
