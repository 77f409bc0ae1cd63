package sandbox

import (
	"net/http"
	"time"
)

// SetSleep replaces the waiting of slow endpoints. Call it before any request.
func (p *Provider) SetSleep(f func(*http.Request, time.Duration)) { p.sleep = f }

// ParseForm is the token endpoint's parser.
var ParseForm = parseForm

// Sleep is the real waiting.
var Sleep = sleep

// SetAnswerWithin replaces the five seconds that a receiver of notifications
// has. Call it before any is sent.
func (p *Provider) SetAnswerWithin(d time.Duration) { p.sender.within = d }

// SendersAtOnce is how many notifications wait for an answer at the same time.
const SendersAtOnce = sendersAtOnce
