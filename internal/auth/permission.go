package auth

import (
	"fmt"
	"slices"
)

// A Permission is what a route asks for. Every row of the route table has one.
type Permission string

// The permissions.
const (
	Machine  Permission = "machine"   // health and static files: no session is looked at
	Public   Permission = "public"    // anybody, signed in or not
	SetUp    Permission = "set-up"    // whoever holds the one-time link, while there is no admin
	SignedIn Permission = "signed-in" // any signed-in person: own account, theme, sign-out

	Overview      Permission = "overview"
	ConfigRead    Permission = "config.read"
	ConfigWrite   Permission = "config.write"
	ConfigPromote Permission = "config.promote"
	ConfigDelete  Permission = "config.delete"
	ConfigTest    Permission = "config.test"
	ConfigReveal  Permission = "config.reveal"
	ConnectorRead Permission = "connector.read"
	WebhookRead   Permission = "webhook.read"   // notifications with their bodies, in which there may be personal data
	WebhookReplay Permission = "webhook.replay" // send one to another address
	AuditRead     Permission = "audit.read"
	AuditExport   Permission = "audit.export" // what is exported is made to leave the house
	AuditCheck    Permission = "audit.check"  // it reads the whole log
	SettingsRead  Permission = "settings.read"
	SettingsCheck Permission = "settings.check"
)

// permissions has every Permission, in the order in which people read them.
var permissions = []Permission{
	Machine, Public, SetUp, SignedIn, Overview,
	ConfigRead, ConfigWrite, ConfigPromote, ConfigDelete, ConfigTest, ConfigReveal,
	ConnectorRead, WebhookRead, WebhookReplay, AuditRead, AuditExport, AuditCheck, SettingsRead, SettingsCheck,
}

// Permissions lists all permissions. The slice belongs to the caller.
func Permissions() []Permission { return slices.Clone(permissions) }

// NeedsPerson reports whether somebody has to be signed in; then the person's
// role decides. It is false for Machine, Public and SetUp only, and true for a
// permission that does not exist.
func (p Permission) NeedsPerson() bool { return p != Machine && p != Public && p != SetUp }

// A Role is a name for a set of permissions. Its text is stored and is never
// renamed.
type Role string

// Owner may do everything. The first admin is one.
const Owner Role = "owner"

// matrix is the one place that says which role may do what. A role that is not
// in it may do nothing.
var matrix = map[Role][]Permission{
	Owner: {
		Machine, Public, SetUp, SignedIn, Overview,
		ConfigRead, ConfigWrite, ConfigPromote, ConfigDelete, ConfigTest, ConfigReveal,
		ConnectorRead, WebhookRead, WebhookReplay, AuditRead, AuditExport, AuditCheck, SettingsRead, SettingsCheck,
	},
}

// May reports whether the matrix gives p to the role.
func (r Role) May(p Permission) bool { return slices.Contains(matrix[r], p) }

// ParseRole returns the role that s names, and refuses any other text.
func ParseRole(s string) (Role, error) {
	if _, ok := matrix[Role(s)]; !ok {
		return "", fmt.Errorf("unknown role %q", s)
	}
	return Role(s), nil
}
