package oauth_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/oauth"
	"backoffice/internal/secret"
)

// A world is a vendor and an entry, each made at random.
type world struct {
	vendor                      *vendor
	auth                        string // of the definition
	id, secret, redirect        string // of the entry
	goodID, goodSecret, goodURI bool
}

func randomWorld(r *rand.Rand, auth string) world {
	chance := func(percent int) bool { return r.IntN(100) < percent }
	v := &vendor{order: order(r.IntN(3)), words: wording(r.IntN(4)), envelope: envelope(r.IntN(5)), auth: []string{"post", "basic", "both"}[r.IntN(3)],
		noise: chance(50), doors: doorStyle(r.IntN(8)), nodes: chance(10), format: chance(10), expired: chance(10), generous: chance(2),
		rng: rand.New(rand.NewPCG(r.Uint64(), r.Uint64()))}
	if v.order == requestFirst && chance(70) {
		v.order = clientFirst
	}
	if chance(10) {
		v.limit = 1 + r.IntN(4)
	}
	if chance(10) {
		v.down = 1 + r.IntN(4)
	}
	switch {
	case chance(4):
		v.says = malformed(wrongID, []string{"invalid_client: Client authentication failed", "invalid_grant: Bad code"}[r.IntN(2)])
	case chance(4):
		v.door = doorForm
	}
	if chance(10) {
		v.throttle = 1 + r.IntN(4)
	}
	if chance(10) {
		v.doorDown = 1 + r.IntN(3)
	}
	v.checksum, v.incident, v.lax, v.disabled = chance(10), chance(5), chance(10), chance(5)
	if chance(10) {
		v.grant = "unauthorized_client"
	}
	w := world{vendor: v, auth: auth, id: goodID, secret: goodSecret, redirect: goodRedirect}
	if chance(40) {
		w.id = []string{wrongID, "other-4711", "crm_7Qd2Xk81bW", "CRM_7Qd2Xk81bV"}[r.IntN(4)]
	}
	if chance(40) {
		w.secret = []string{wrongSecret, goodSecret[:len(goodSecret)-1], goodSecret + "=", "x"}[r.IntN(4)]
	}
	if chance(40) {
		w.redirect = []string{wrongRedirect, goodRedirect + "/", "https://backoffice.example.com/auth/rocket/callbac"}[r.IntN(3)]
	}
	w.goodID, w.goodSecret, w.goodURI = w.id == goodID, w.secret == goodSecret && (!v.expired || v.disabled), w.redirect == goodRedirect
	return w
}

// TestNoFalseOK drives ten thousand providers that were made at random, over real
// HTTP: no field is called OK that is not right, none is Wrong with High
// confidence that is, and no run breaks its limits.
func TestNoFalseOK(t *testing.T) {
	runs := 10_000
	if testing.Short() {
		runs = 1_000
	}
	const workers = 4
	var done, decided, oks, wrongs atomic.Int64
	var wg sync.WaitGroup
	for n := range workers {
		auth := []string{"post", "basic"}[n%2]
		r := newRig(t, setup{authorize: "{authorizeBase}/authorize", rehearse: true, tokenURL: "{tokenBase}/token", meURL: "{tokenBase}/me", definition: "  clientAuth: " + auth})
		wg.Go(func() {
			seeds := rand.New(rand.NewPCG(20261122, uint64(n)))
			for range runs / workers {
				seed := seeds.Uint64()
				w := randomWorld(rand.New(rand.NewPCG(seed, 1)), auth)
				rep := r.tryWorld(w)
				done.Add(1)
				for _, f := range rep.Fields {
					switch f.Verdict {
					case oauth.OK:
						oks.Add(1)
					case oauth.Wrong:
						wrongs.Add(1)
					}
				}
				if rep.Verdict == oauth.OK || rep.Verdict == oauth.Wrong {
					decided.Add(1)
				}
				if fault := w.judge(rep); fault != "" {
					t.Errorf("seed %d, %s: %s\nvendor %+v\nid %q secret %q redirect %q\n%s", seed, auth, fault, describe(w.vendor), w.id, w.secret, w.redirect, explain(rep))
					return
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d runs, of which %d decided something; %d fields OK, %d Wrong", done.Load(), decided.Load(), oks.Load(), wrongs.Load())
	if !t.Failed() && (done.Load() != int64(runs) || decided.Load() < int64(runs/5)) {
		t.Errorf("only %d of %d runs decided anything: the test proves little", decided.Load(), done.Load())
	}
}

func (r *rig) tryWorld(w world) oauth.Report {
	r.provider.play(w.vendor)
	d := config.Draft{ID: "acme:rocket:trial"}
	for k, v := range map[string]string{"clientId": w.id, "clientSecret": w.secret, "callbackUrl": w.redirect, "region": connector.RehearsalValue} {
		d.Values = append(d.Values, config.Input{Key: k, Secret: k == "clientSecret", Value: config.TextValue(secret.NewText(v))})
	}
	ref, err := r.oauth.DiagnoseDraft(r.t.Context(), by, d)
	if err != nil {
		r.t.Error(err)
		return oauth.Report{}
	}
	return r.wait(ref).Report
}

func describe(v *vendor) string {
	return fmt.Sprintf("order %d words %d envelope %d auth %s noise %t doors %d nodes %t limit %d down %d grant %q expired %t generous %t format %t", v.order, v.words, v.envelope,
		v.auth, v.noise, v.doors, v.nodes, v.limit, v.down, v.grant, v.expired, v.generous, v.format)
}

// judge holds a report against the truth.
func (w world) judge(rep oauth.Report) string {
	verdict := func(f oauth.Field) oauth.Verdict { return rep.Field(f).Verdict }
	certain := func(f oauth.Field) bool { return rep.Field(f).Confidence == oauth.High }
	right := w.vendor.auth == "both" || w.vendor.auth == w.auth
	for _, f := range []struct {
		field oauth.Field
		good  bool
	}{{oauth.ClientID, w.goodID}, {oauth.ClientSecret, w.goodSecret}, {oauth.RedirectURI, w.goodURI}, {oauth.ClientAuth, right}} {
		switch {
		case verdict(f.field) == oauth.OK && !f.good:
			return f.field.Label() + " is called OK and is wrong"
		case verdict(f.field) == oauth.Wrong && certain(f.field) && f.good:
			return f.field.Label() + " is called Wrong with certainty and is right"
		case verdict(f.field) == oauth.NotChecked && rep.Field(f.field).Reason == "":
			return f.field.Label() + " is not checked, without a reason"
		}
	}
	w.vendor.mu.Lock()
	codes := len(w.vendor.codes)
	w.vendor.mu.Unlock()
	asked := 0
	for _, s := range rep.Steps {
		if s.Probe != "" {
			asked++
		}
	}
	switch {
	case rep.Verdict == oauth.OK && !(w.goodID && w.goodSecret && w.goodURI && right):
		return "the run is called OK, and something is wrong"
	case rep.Calls > 6 || asked != rep.Calls:
		return fmt.Sprintf("%d calls, %d questions", rep.Calls, asked)
	case codes > 1:
		return "more than one code was sent"
	case rep.Headline == "":
		return "there is no headline"
	}
	return ""
}
