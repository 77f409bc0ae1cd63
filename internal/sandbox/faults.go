package sandbox

import "time"

// Faults are all switches of the sandbox. The zero value is a provider without
// a fault that behaves as Intercom documents. Each choice's zero is the usual
// one; which of them are documented and which are unconfirmed stands on the
// control page (see switches.go).
type Faults struct {
	// The authorize page and its callback.
	Decides         Decides  // where an unknown client or redirect URI is refused
	Refusal         Refusal  // how it is refused
	StrictRedirects bool     // registered redirect URIs only; else also any loopback one
	RawEquals       bool     // the callback's code keeps its "=" unescaped
	Denied          Denied   // what a denied consent brings back
	State           StateWay // what becomes of state

	// The token endpoint.
	Secrets       Secrets       // which of the app's two secrets hold
	ClientAuth    ClientAuth    // which client authentication method is accepted
	Order         Order         // what is checked first
	ErrorForm     ErrorForm     // the format of errors
	ErrorAs200    bool          // errors come with status 200
	RandomWords   bool          // errors carry a random reference in their words
	TokenFields   TokenFields   // where the token stands in the answer
	RedirectMatch RedirectMatch // how redirect_uri is compared with the authorize request's
	TokenCounts   bool          // token requests count towards the rate limit

	// The API.
	Missing         Permissions    // permissions that the app has not been given
	AdminRefusal    AdminRefusal   // what /me says without "Read one admin"
	AdminsEnough    bool           // "Read admins" is enough for /me
	TeamsFree       bool           // /teams needs no permission; else "Read admins"
	VersionMessage  VersionMessage // words for an unknown Intercom-Version
	VersionRequired bool           // a request without Intercom-Version is refused
	Unstable        bool           // "Unstable" is still accepted
	Version217      bool           // 2.17 is available
	Limit           int            // requests in ten seconds; 0: DefaultLimit
	Region          Region         // what app.region says
	WrongRegion     bool           // every token is refused, as by a host of another region
	Email           Email          // what email_verified says

	// What goes wrong, by endpoint.
	Trouble [endpoints]Trouble
}

// DefaultLimit is the number of requests in ten seconds that 10,000 a minute
// come to.
const DefaultLimit = 1666

// The most that may be asked of a switch with a number.
const (
	MaxDelay = 120 * time.Second
	maxLimit = 100_000
	maxAfter = 1000
)

// An Endpoint is one of the places that can be in Trouble.
type Endpoint int

// The endpoints; Faults.Trouble is indexed by them.
const (
	AtAuthorize Endpoint = iota // GET /oauth
	AtToken                     // POST /auth/eagle/token
	AtMe                        // GET /me
	AtAPI                       // the other reads of the API
	endpoints
)

// Trouble is what goes wrong at one endpoint.
type Trouble struct {
	Kind  Kind
	Delay time.Duration // before the answer, whatever it is; at most MaxDelay
	After int           // so many requests pass unharmed first
}

// Kind is a kind of trouble.
type Kind int

// The kinds of trouble.
const (
	None         Kind = iota
	ServerError       // 500 in the API's error format
	Down              // 503 from something in front of it
	HTML              // 200 with a page instead of JSON
	Garbage           // 200 with JSON that breaks off
	Huge              // a body of more than 1 MiB
	GzipBomb          // a small body that unpacks to 16 MiB
	TooMany           // 429
	Cut               // the connection ends without an answer
	CutMidway         // the connection ends in the middle of the body
	RedirectSame      // 307 to another path of the sandbox
	RedirectAway      // 307 to another host
	kinds
)

// Decides says where an authorize request is refused.
type Decides int

// Where an authorize request is refused.
const (
	AtOnce        Decides = iota // by the first answer
	AfterRedirect                // every request is redirected to the login route, which decides
	AfterSignIn                  // every request gets the same sign-in page; what follows decides
	decides
)

// Refusal says how an authorize request is refused.
type Refusal int

// How an authorize request is refused.
const (
	RefusalPage     Refusal = iota // an error page
	RefusalRedirect                // a redirect to an error page
	refusals
)

// Denied says what a denied consent brings back to the redirect URI.
type Denied int

// What a denied consent brings back.
const (
	DeniedError Denied = iota // error=access_denied and state
	DeniedBare                // state alone
	denials
)

// StateWay says what becomes of the state on its way back.
type StateWay int

// What becomes of the state.
const (
	StateKept StateWay = iota
	StateAltered
	StateLost
	stateWays
)

// ClientAuth says which client authentication methods are accepted.
type ClientAuth int

// The accepted client authentication methods.
const (
	PostOnly ClientAuth = iota // client_secret_post
	BasicOnly
	PostOrBasic
	clientAuths
)

// Secrets says which of the two client secrets hold. Notifications are signed
// with the first that does.
type Secrets int

// Which secrets hold.
const (
	FirstSecret  Secrets = iota // the second was not made yet
	BothSecrets                 // as while a secret is being replaced
	SecondSecret                // the first was deleted
	secretsEnd
)

// Order says what the token endpoint checks first.
type Order int

// The orders of checks. With CodeFirst, a code is used up by the first request
// that brings it, even if the client is then refused.
const (
	ClientFirst        Order = iota // unknown id and wrong secret have one error
	ClientFirstInWords              // unknown id and wrong secret are told apart
	CodeFirst
	orders
)

// ErrorForm is the format of errors at the token endpoint.
type ErrorForm int

// The formats of errors.
const (
	ErrorList ErrorForm = iota // the envelope of Intercom's API
	RFC6749                    // error and error_description
	errorForms
)

// TokenFields says where the token stands in the answer.
type TokenFields int

// Where the token stands.
const (
	TokenAndAccessToken TokenFields = iota
	OnlyToken
	OnlyAccessToken
	tokenFieldsEnd
)

// RedirectMatch says how the token request's redirect_uri is compared with the
// one that the code was sent to.
type RedirectMatch int

// How redirect_uri is compared.
const (
	RedirectIfSent RedirectMatch = iota
	RedirectRequired
	RedirectIgnored
	redirectMatches
)

// AdminRefusal is the answer of /me without its permission.
type AdminRefusal int

// The answers of /me without its permission.
const (
	Forbidden403 AdminRefusal = iota
	Unauthorized401
	adminRefusals
)

// VersionMessage is the words for an unknown Intercom-Version.
type VersionMessage int

// The words for an unknown Intercom-Version.
const (
	VersionUnavailable VersionMessage = iota
	VersionNotFound
	versionMessages
)

// Region is what app.region says.
type Region int

// What app.region says.
const (
	RegionOfWorkspace Region = iota
	RegionUS
	RegionEU
	RegionAU
	regions
)

// Email is what email_verified says.
type Email int

// What email_verified says.
const (
	EmailVerified Email = iota
	EmailUnverified
	EmailNull
	emails
)

// inRange returns f with every value that no switch knows put back to zero, and
// every number brought within its bounds.
func (f Faults) inRange() Faults {
	zeroBeyond(&f.Decides, decides)
	zeroBeyond(&f.Refusal, refusals)
	zeroBeyond(&f.Denied, denials)
	zeroBeyond(&f.State, stateWays)
	zeroBeyond(&f.Secrets, secretsEnd)
	zeroBeyond(&f.ClientAuth, clientAuths)
	zeroBeyond(&f.Order, orders)
	zeroBeyond(&f.ErrorForm, errorForms)
	zeroBeyond(&f.TokenFields, tokenFieldsEnd)
	zeroBeyond(&f.RedirectMatch, redirectMatches)
	zeroBeyond(&f.AdminRefusal, adminRefusals)
	zeroBeyond(&f.VersionMessage, versionMessages)
	zeroBeyond(&f.Region, regions)
	zeroBeyond(&f.Email, emails)
	f.Missing &= allPermissions
	f.Limit = min(max(f.Limit, 0), maxLimit)
	for i := range f.Trouble {
		t := &f.Trouble[i]
		zeroBeyond(&t.Kind, kinds)
		t.Delay = min(max(t.Delay, 0), MaxDelay)
		t.After = min(max(t.After, 0), maxAfter)
	}
	return f
}

func zeroBeyond[T ~int](v *T, end T) {
	if *v < 0 || *v >= end {
		*v = 0
	}
}
