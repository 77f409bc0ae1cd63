package sandbox

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// An exchange is one request of the product and its answer: the switches as
// they stood when it came, and what the log will say about it.
type exchange struct {
	http.ResponseWriter
	r      *http.Request
	faults Faults
	now    time.Time
	id     string // x-request-id
	status int    // 0: nothing was answered
	rec    Record
}

// A route is one address of the provider.
type route struct {
	method  string
	trouble Endpoint // endpoints: never in trouble
	serve   func(*exchange)
}

// productRoutes is every address that the product may call. What is not here is
// answered as the API answers for what it does not have.
func (p *Provider) productRoutes() map[string]route {
	return map[string]route{
		"/oauth":            {http.MethodGet, AtAuthorize, p.authorize},
		"/oauth/login":      {http.MethodGet, endpoints, p.login},
		"/oauth/refused":    {http.MethodGet, endpoints, p.refused},
		"/oauth/decide":     {http.MethodPost, endpoints, p.decide},
		"/auth/eagle/token": {http.MethodPost, AtToken, p.token},
		"/moved":            {"", endpoints, p.moved},
		"/me":               {http.MethodGet, AtMe, p.api(readMe)},
		"/admins":           {http.MethodGet, AtAPI, p.api(readAdmins)},
		"/teams":            {http.MethodGet, AtAPI, p.api(readTeams)},
		"/contacts":         {http.MethodGet, AtAPI, p.api(readContacts)},
		"/conversations":    {http.MethodGet, AtAPI, p.api(readConversations)},
		"/tags":             {http.MethodGet, AtAPI, p.api(readTags)},
		"/articles":         {http.MethodGet, AtAPI, p.api(readArticles)},
	}
}

func (p *Provider) begin(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{ResponseWriter: w, r: r, faults: p.Faults(), now: p.now().UTC(), id: uuidOf(random(16))}
	x.rec = Record{Time: x.now, Method: shorten(r.Method, 10), Path: safePath(r.URL.Path)}
	x.Header().Set("X-Request-Id", x.id)
	x.Header().Set("Cache-Control", "no-store")
	return x
}

// finish writes the log, also when a handler ends in a panic because the
// connection is to be cut.
func (p *Provider) finish(x *exchange) {
	x.rec.Status = x.status
	x.rec.Fields = append(x.rec.Fields, p.headerFields(x.r)...)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.journal.add(x.rec)
}

func (p *Provider) serve(x *exchange) {
	rt, ok := p.routes[x.r.URL.Path]
	if !ok {
		p.notFound(x)
		return
	}
	x.rec.Fields = append(x.rec.Fields, p.queryFields(x.r)...)
	if rt.method != "" && x.r.Method != rt.method {
		x.Header().Set("Allow", rt.method)
		x.note("the method must be " + rt.method)
		x.errorList(http.StatusMethodNotAllowed, "client_error", "Method not allowed")
		return
	}
	if rt.trouble < endpoints && p.makeTrouble(x, rt.trouble) {
		return
	}
	rt.serve(x)
}

// note says in the log, in words for people, why the answer is what it is.
func (x *exchange) note(words string) { x.rec.Note = words }

// WriteHeader keeps the status for the log.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write keeps the status for the log.
func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

func (x *exchange) json(status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // the sandbox's own structs and maps always marshal
	}
	x.Header().Set("Content-Type", "application/json; charset=utf-8")
	x.Header().Set("Content-Length", strconv.Itoa(len(b)))
	x.WriteHeader(status)
	x.Write(b)
}

// envelope is the error format of Intercom's API.
type envelope struct {
	Type      string     `json:"type"`
	RequestID string     `json:"request_id"`
	Errors    []apiError `json:"errors"`
}

type apiError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (x *exchange) errorList(status int, code, message string) {
	x.json(status, envelope{"error.list", x.id, []apiError{{code, message}}})
}
