package server

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"backoffice/internal/auth"
	"backoffice/internal/config"
	"backoffice/internal/connector"
	"backoffice/internal/webhook"
	"backoffice/web/templates"

	"github.com/labstack/echo/v4"
)

// newsOfTab is how many notifications the tab shows.
const newsOfTab = 5

// fillNews says what came lately, to who may see it. It returns when the last
// notification of each topic came.
func (p hookPages) fillNews(c echo.Context, page *templates.EntryWebhooksPage, id config.ID, def *connector.Definition) (map[string]time.Time, error) {
	if !p.allows(c, newsPermission) {
		return nil, nil
	}
	list, t, err := p.news(c.Request().Context(), id, def)
	if err != nil {
		return nil, err
	}
	page.ShowsNews, page.News = true, list
	page.News.Events = entryURL(id) + "/webhooks/events"
	page.All = templates.Link{Label: "All notifications", URL: notificationsPath + "?entry=" + string(id)}
	return t.ByTopic, nil
}

// news is what the tab shows of an entry's notifications.
func (p hookPages) news(ctx context.Context, id config.ID, def *connector.Definition) (templates.NotificationList, webhook.Totals, error) {
	t, err := p.Webhooks.Totals(ctx, string(id))
	if err != nil {
		return templates.NotificationList{}, t, err
	}
	found, err := p.Webhooks.List(ctx, webhook.Filter{Owner: string(id), Limit: newsOfTab})
	if err != nil {
		return templates.NotificationList{}, t, err
	}
	l := templates.NotificationList{Showing: dayWords(t), State: p.hookState(t), Nothing: templates.Empty{Heading: "Nothing has come yet",
		Text: "Register the webhook URL at " + def.Name + ", or send a test notification."}}
	if t.Refused > 0 {
		l.State.Why = templates.Link{Label: "See the refused ones", URL: "/webhooks?" + url.Values{"entry": {string(id)}, "verdict": {"refused"}}.Encode()}
	}
	for _, n := range found.Notifications {
		l.Rows = append(l.Rows, p.newsRow(n, true))
	}
	for _, topic := range def.Topics {
		if at := t.ByTopic[topic.Name]; !at.IsZero() {
			l.Topics = append(l.Topics, templates.TopicArrival{Topic: topic.Name, When: p.when(at)})
		}
	}
	return l, t, nil
}

// hookState says how the notifications of an entry arrive.
func (g gate) hookState(t webhook.Totals) templates.HookState {
	s := templates.HookState{Last: g.when(t.Last)}
	day := templates.Count(int64(t.Day)) + " came in 24 hours"
	switch {
	case t.Kept == 0:
		s.Word, s.Sentence = "Nothing has come yet", "No notification of this entry is kept."
	case t.Day == 0:
		s.Word, s.Sentence = "Quiet for 24 hours", "None came in 24 hours."
	case t.Refused == t.Day:
		s.Verdict, s.Word, s.Sentence = templates.VerdictWrong, "All were refused", day+"."
		if !t.LastGood.IsZero() {
			s.Sentence += " The last accepted one came " + g.when(t.LastGood).Ago + "."
		}
	case t.Refused > 0:
		s.Verdict, s.Word, s.Sentence = templates.VerdictWarning, fmt.Sprintf("%s refused in 24 hours", templates.Count(int64(t.Refused))), day+" in all."
	default:
		s.Verdict, s.Word, s.Sentence = templates.VerdictOK, "Notifications arrive", day+", none was refused."
	}
	return s
}

// events is GET /config/:id/webhooks/events: what the tab shows, as it goes on.
func (p hookPages) events(c echo.Context) error {
	e, def, err := p.entry(c)
	if err != nil {
		return err
	}
	if def == nil || def.Webhooks == nil {
		return noWebhooks
	}
	return p.followNews(c, newsPermission, func(ctx context.Context) (templates.NotificationList, error) {
		list, _, err := p.news(ctx, e.ID, def)
		return list, err
	})
}

// testPermission is what a page must know to offer a test notification.
const testPermission = auth.ConfigTest
