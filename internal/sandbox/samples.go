package sandbox

// The people and records of the sandbox are made up. The form of /me follows
// Intercom's documented example; the lists have the usual members of its API.

// A workspace is where the sandbox's app can be installed.
type workspace struct {
	ID       string
	Name     string
	Region   string
	Timezone string
}

var workspaces = []workspace{
	{"k3x9qw1z", "Acme Support", "US", "America/Los_Angeles"},
	{"p7m2ve4d", "Acme Support Europe", "EU", "Europe/Dublin"},
	{"t5b8nc6y", "Acme Support Australia", "AU", "Australia/Sydney"},
}

// object keeps the samples readable; encoding/json writes its keys sorted.
type object = map[string]any

const sampleTime = 1734537243 // unix seconds

func meBody(c caller) any {
	region := [regions]string{c.workspace.Region, "US", "EU", "AU"}[c.faults.Region]
	verified := [emails]any{true, false, nil}[c.faults.Email]
	return object{
		"type": "admin", "id": "2633609", "email": "ada@acme.example", "name": "Ada Example", "email_verified": verified,
		"app": object{
			"type": "app", "id_code": c.workspace.ID, "name": c.workspace.Name, "created_at": sampleTime,
			"secure": true, "identity_verification": true, "timezone": c.workspace.Timezone, "region": region,
		},
		"avatar":         object{"type": "avatar", "image_url": nil},
		"has_inbox_seat": true,
	}
}

func adminsBody(caller) any {
	admin := func(id, name, email string) object {
		return object{"type": "admin", "id": id, "name": name, "email": email, "away_mode_enabled": false, "away_mode_reassign": false, "has_inbox_seat": true, "team_ids": []int{814865}}
	}
	return object{"type": "admin.list", "admins": []object{
		admin("2633609", "Ada Example", "ada@acme.example"),
		admin("2633610", "Ben Example", "ben@acme.example"),
	}}
}

func teamsBody(caller) any {
	return object{"type": "team.list", "teams": []object{
		{"type": "team", "id": "814865", "name": "Support", "admin_ids": []int{2633609, 2633610}},
		{"type": "team", "id": "814866", "name": "Sales", "admin_ids": []int{2633610}},
	}}
}

func contactsBody(c caller) any {
	contact := func(id, role, name string) object {
		return object{
			"type": "contact", "id": id, "workspace_id": c.workspace.ID, "external_id": nil, "role": role, "name": name,
			"email": id[:6] + "@customer.example", "created_at": sampleTime, "updated_at": sampleTime, "custom_attributes": object{},
		}
	}
	return c.list("list", "data", []object{
		contact("6762f0dd1bb69f9f2193bb83", "user", "Casey Example"),
		contact("6762f0d31bb69f9f2193bb7f", "lead", "Dana Example"),
		contact("6762f0d51bb69f9f2193bb81", "user", "Eli Example"),
	})
}

func conversationsBody(c caller) any {
	conversation := func(id, state string, open bool) object {
		return object{
			"type": "conversation", "id": id, "title": nil, "state": state, "open": open, "read": true, "priority": "not_priority",
			"created_at": sampleTime, "updated_at": sampleTime, "waiting_since": nil, "snoozed_until": nil,
			"admin_assignee_id": 2633609, "team_assignee_id": "814865", "tags": object{"type": "tag.list", "tags": []object{}},
		}
	}
	return c.list("conversation.list", "conversations", []object{
		conversation("471", "open", true), conversation("470", "closed", false),
	})
}

func tagsBody(caller) any {
	return object{"type": "list", "data": []object{
		{"type": "tag", "id": "102", "name": "Billing"}, {"type": "tag", "id": "103", "name": "Feature request"},
	}}
}

func articlesBody(c caller) any {
	return c.list("list", "data", []object{{
		"type": "article", "id": "39", "workspace_id": c.workspace.ID, "title": "How to start", "description": "", "body": "<p>Start here.</p>",
		"author_id": 2633609, "state": "published", "created_at": sampleTime, "updated_at": sampleTime,
	}})
}

// list cuts one page out of all.
func (c caller) list(kind, member string, all []object) object {
	from := min((c.page-1)*c.perPage, len(all))
	to := min(from+c.perPage, len(all))
	return object{
		"type": kind, member: all[from:to], "total_count": len(all),
		"pages": object{"type": "pages", "page": c.page, "per_page": c.perPage, "total_pages": (len(all) + c.perPage - 1) / c.perPage},
	}
}
