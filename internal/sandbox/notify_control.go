package sandbox

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"backoffice/internal/errs"
)

// What the form for notifications offers, in the order of the constants.
var (
	signingOptions = []option{{"right", "As documented: SHA-1, hex, sha1="}, {"wrong-secret", "With another secret"}, {"sha256", "SHA-256 instead of SHA-1"},
		{"base64", "Base64 instead of hex"}, {"no-prefix", "Without sha1="}, {"none", "Not at all"}, {"first", "As documented, with the first client secret"}, {"second", "As documented, with the second client secret"}}
	rewritingOptions = []option{{"none", "Sent as it was signed"}, {"spaced", "Written anew with spaces"}, {"reordered", "Written anew in alphabetical order"},
		{"escaped", "Written anew with \\u escapes"}, {"line-break", "A line break added at its end"}}
	usualTopics = []string{"ping", "company.created", "company.updated", "contact.user.created", "contact.user.updated", "contact.lead.created", "contact.merged",
		"contact.deleted", "conversation.user.created", "conversation.user.replied", "conversation.admin.replied", "conversation.admin.closed",
		"ticket.created", "ticket.closed", "ticket.resolved", "admin.logged_in"}
)

// A notifyView is the part of the control page about notifications.
type notifyView struct {
	Able                bool // there is a client
	Address, AddressNow string
	Topic               string
	Topics              []string
	Uninstall           bool
	Count, Again, Retry string
	Signing, Rewriting  []optionView
	MaxBurst, MaxAgain  int
	MaxRetry            int
	UnderWay            int
	Sent                []sentView
	Errors              map[string]string
}

type sentView struct {
	Time, Clock, Topic, ID, Attempt, Status, Took, Note string
	Wrong                                               bool
}

// maxShown is how many attempts the page shows.
const maxShown = 50

// notifyPage prepares that part. typed, if not nil, is a form that was refused.
func (p *Provider) notifyPage(typed url.Values, failed map[string]string) notifyView {
	if typed == nil {
		typed = usualNotify()
	}
	s := p.sender
	s.mu.Lock()
	underWay := s.underWay
	s.mu.Unlock()
	v := notifyView{Able: s.client != nil, Address: typed.Get("hook"), AddressNow: p.NotifyURL(), Topic: typed.Get("topic"), Topics: usualTopics,
		Uninstall: typed.Get("uninstall") == "on", Count: typed.Get("count"), Again: typed.Get("again"), Retry: typed.Get("retry"),
		Signing: optionViews(signingOptions, typed.Get("signing")), Rewriting: optionViews(rewritingOptions, typed.Get("rewriting")),
		MaxBurst: MaxBurst, MaxAgain: MaxAgain, MaxRetry: int(MaxRetry / time.Second), UnderWay: underWay, Errors: failed}
	if !typed.Has("hook") {
		v.Address = v.AddressNow
	}
	for _, sent := range p.Sent() {
		if len(v.Sent) == maxShown {
			break
		}
		v.Sent = append(v.Sent, viewSent(sent))
	}
	return v
}

func optionViews(options []option, value string) []optionView {
	out := make([]optionView, len(options))
	for i, o := range options {
		out[i] = optionView{o.value, o.label, o.value == value}
	}
	return out
}

func viewSent(s Sent) sentView {
	v := sentView{Time: s.Time.Format("2006-01-02T15:04:05.000Z"), Clock: s.Time.Format("15:04:05"), Topic: s.Topic, ID: s.ID, Attempt: strconv.Itoa(s.Attempt),
		Status: strconv.Itoa(s.Status), Took: s.Took.Round(100 * time.Microsecond).String(), Note: s.Note, Wrong: s.Status < 200 || s.Status > 299}
	if s.Status == 0 {
		v.Status = "none"
	}
	return v
}

// setHook is POST /control/hook: where notifications go.
func (p *Provider) setHook(w http.ResponseWriter, r *http.Request) {
	form, ok := controlForm(w, r)
	if !ok {
		return
	}
	if err := p.SetNotifyURL(r.Context(), strings.TrimSpace(form.Get("hook"))); err != nil {
		typed := usualNotify()
		typed.Set("hook", form.Get("hook"))
		p.refuseNotify(w, r, typed, err)
		return
	}
	http.Redirect(w, r, "/#notifications", http.StatusSeeOther)
}

// sendNotifications is POST /control/notify.
func (p *Provider) sendNotifications(w http.ResponseWriter, r *http.Request) {
	form, ok := controlForm(w, r)
	if !ok {
		return
	}
	d, err := readDelivery(form)
	if err == nil {
		err = p.Send(d)
	}
	if err != nil {
		p.refuseNotify(w, r, form, err)
		return
	}
	http.Redirect(w, r, "/#sent", http.StatusSeeOther)
}

// usualNotify is the form as it stands at first.
func usualNotify() url.Values {
	return url.Values{"topic": {"ping"}, "count": {"1"}, "again": {"0"}, "retry": {strconv.Itoa(int(DefaultRetry / time.Second))}}
}

func (p *Provider) refuseNotify(w http.ResponseWriter, r *http.Request, typed url.Values, err error) {
	page := p.controlPage(r, nil, nil)
	page.Notify = p.notifyPage(typed, errs.Fields(err))
	p.render(w, http.StatusUnprocessableEntity, "control.html", page, "'self'")
}

func readDelivery(form url.Values) (Delivery, error) {
	d := Delivery{Topic: strings.TrimSpace(form.Get("topic")), Uninstall: form.Get("uninstall") == "on"}
	var failed []error
	number := func(name, label string, least, most int) int {
		n, err := strconv.Atoi(form.Get(name))
		if err != nil || n < least || n > most {
			failed = append(failed, errs.Field(name, label+": a whole number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most)+"."))
		}
		return n
	}
	choice := func(name, label string, options []option) int {
		for i, o := range options {
			if o.value == form.Get(name) {
				return i
			}
		}
		failed = append(failed, errs.Field(name, label+": choose one of the list."))
		return 0
	}
	d.Count = number("count", "How many", 1, MaxBurst)
	d.Again = number("again", "Each again", 0, MaxAgain)
	d.Retry = time.Duration(number("retry", "Retry after", 1, int(MaxRetry/time.Second))) * time.Second
	d.Signing = Signing(choice("signing", "Signature", signingOptions))
	d.Rewriting = Rewriting(choice("rewriting", "Body", rewritingOptions))
	return d, errors.Join(failed...)
}
