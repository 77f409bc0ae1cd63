package e2e

import (
	"strings"
	"testing"
)

// rule has the person choose what a version of the entry needs.
func (p *person) rule(entry, needs string) {
	p.t.Helper()
	p.Open("/config/" + entry + "/rule")
	p.Choose("What a version needs", needs)
	p.Fill("Reason", "as agreed")
	p.leaving("save the rule", func() { p.Press("Save the rule") })
	if strings.HasPrefix(eval[string](p, "document.title"), "Your password again") { // the sign-in was long ago
		p.Fill("Your password", password)
		p.Follow("Go on")
	}
}

// One person saves a version, another approves exactly that, and only then it can be
// put in force.
func TestApprovalByTwoPeople(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.admin(t)
	e := house.errand(t)
	e.intercom("acme:intercom", "current")
	e.change("acme:intercom", "f.apiVersion", "2.14", "then", "pending", "reason", "Newer API")
	ada.rule("acme:intercom", "A second person's approval")
	ada.At("/config/acme:intercom")
	ada.See("The rule is changed", "A second person has to approve a version", "Waits for the approval of a second person", "It waits for approval.")
	ada.NotSee("Promote version 2")
	ada.accessible()
	ada.Follow("Review version 2")
	ada.See("You saved this version, so somebody else has to approve it", "Newer API", "apiVersion")
	ada.Open("/config/acme:intercom/edit")
	ada.NotSee("Save and put in force")

	link := ada.invite("grace@acme.example", "admin", "acme:*")
	grace := house.person(t)
	grace.join(link)
	grace.See("Waits for your approval")
	grace.accessible()
	grace.Follow("Review")
	grace.See("Version 2 changes 1 thing of version 1", "2.14")
	grace.accessible()
	grace.Fill("What is wrong with it", "say which ticket")
	grace.Follow("Reject version 2")
	grace.See("Version 2 is rejected", "“say which ticket”")
	grace.Follow("Review version 2")
	grace.Fill("Comment", "ticket 7")
	grace.Follow("Approve version 2")
	grace.See("Version 2 is approved", "Approved by grace@acme.example", "“ticket 7”")

	ada.Open("/config/acme:intercom/history")
	ada.See("Rejected by grace@acme.example", "Approved by grace@acme.example")
	ada.Open("/config/acme:intercom")
	ada.In("#promote").Follow("Promote version 2")
	ada.See("Version 2 is in force")

	grace.Open("/config/acme:intercom/rule")
	grace.Choose("What a version needs", "Nothing")
	grace.Fill("Reason", "in a hurry")
	grace.FollowRefused("Save the rule", 403)
	grace.See("Only an owner can take the second person out")
}

// furnishApproval has somebody else save a version, which waits for the owner.
func furnishApproval(t *testing.T, house *program) {
	t.Helper()
	const entry = "initech:hubspot"
	ada, grace := house.person(t), house.person(t)
	ada.SignIn()
	grace.join(ada.invite("grace@acme.example", "admin", ""))
	grace.Open("/config/" + entry + "/edit")
	grace.Fill("Client secret", "hubspot-secret-of-the-next-quarter-9e44")
	grace.Fill("Reason", "The secret of the next quarter")
	grace.Follow("Save as pending")
	ada.rule(entry, "A good test and a second person's approval")
}
