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
	Invited  Permission = "invited"   // whoever holds the one-time link of an invitation
	SignedIn Permission = "signed-in" // any signed-in person: own account, theme, sign-out

	Factor        Permission = "account.factor"   // the own second factor
	Calendar      Permission = "account.calendar" // the own calendar address
	Overview      Permission = "overview"
	ConfigRead    Permission = "config.read"
	ConfigWrite   Permission = "config.write"
	ConfigPromote Permission = "config.promote"
	ConfigApprove Permission = "config.approve" // somebody else's pending version
	ConfigRule    Permission = "config.rule"    // what a version needs before it is put in force
	ConfigDelete  Permission = "config.delete"
	ConfigTest    Permission = "config.test"
	ConfigReveal  Permission = "config.reveal"
	ConfigExport  Permission = "config.export"
	EntriesExport Permission = "entries.export"
	EntriesImport Permission = "entries.import"
	ConnectorRead Permission = "connector.read"
	WebhookRead   Permission = "webhook.read"   // notifications with their bodies, in which there may be personal data
	WebhookReplay Permission = "webhook.replay" // send one to another address
	AuditRead     Permission = "audit.read"
	AuditExport   Permission = "audit.export" // what is exported is made to leave the house
	AuditCheck    Permission = "audit.check"  // what is true of the whole log, and a check, which reads all of it
	TeamRead      Permission = "team.read"
	TeamWrite     Permission = "team.write"
	TeamSessions  Permission = "team.sessions"
	RadarPause    Permission = "radar.pause"
	SettingsRead  Permission = "settings.read"
	SettingsCheck Permission = "settings.check"
	BackupTake    Permission = "backup.take"      // make and download backups: whoever has one has everything but the key
	SignInManage  Permission = "settings.sign-in" // through which provider people sign in
	KeysManage    Permission = "keys.manage"
)

// Permissions lists all permissions, in the order in which people read them. The
// slice belongs to the caller.
func Permissions() []Permission {
	out := make([]Permission, len(matrix))
	for i, r := range matrix {
		out[i] = r.Permission
	}
	return out
}

// NeedsPerson reports whether somebody has to be signed in; then the person's
// role decides. It is false for Machine, Public, SetUp and Invited only, and true
// for a permission that does not exist.
func (p Permission) NeedsPerson() bool {
	return p != Machine && p != Public && p != SetUp && p != Invited
}

// A Role is a name for a set of permissions. Its text is stored and is never
// renamed.
type Role string

// The roles, the one that may do most first.
const (
	Owner   Role = "owner" // the first admin is one
	Admin   Role = "admin"
	Editor  Role = "editor"
	Auditor Role = "auditor"
	Viewer  Role = "viewer"
)

// roles has every Role with what it is for, the one that may do most first: the
// columns of the matrix.
var roles = []struct {
	role  Role
	words string
}{
	{Owner, "Everything, and who the other owners are."},
	{Admin, "Entries, tests, secrets, settings, and all people but owners."},
	{Editor, "Saves and tests entries. Reveals no secret, and puts nothing in force in production."},
	{Auditor, "Reads everything but secrets, the audit log too. Changes nothing."},
	{Viewer, "Reads entries and the results of their tests. Changes nothing."},
}

// Roles lists all roles, the one that may do most first.
func Roles() []Role {
	out := make([]Role, len(roles))
	for i, r := range roles {
		out[i] = r.role
	}
	return out
}

// Words says what the role is for, in a sentence.
func (r Role) Words() string {
	if i := r.column(); i >= 0 {
		return roles[i].words
	}
	return ""
}

// column is the role's place in the matrix, or -1.
func (r Role) column() int { return slices.Index(Roles(), r) }

// A Cell is what the matrix says of one role and one permission.
type Cell string

// The cells.
const (
	Yes     Cell = "yes"
	No      Cell = "no"
	Outside Cell = "outside production"
)

// A Row is what the matrix says of one permission.
type Row struct {
	Permission Permission
	Words      string  // what it allows
	Cells      [5]Cell // by role, in the order of Roles
	House      bool    // it is about the whole instance: nobody has it who is limited to some entries
	Proof      bool    // the password is asked for again if it was not given a moment ago
}

// matrix is the one place that says which role may do what. What is not in it
// nobody may. docs/security.md prints it.
var matrix = []Row{
	//                                                                     owner  admin  editor auditor viewer
	{Machine, "Health, metrics, static files", [5]Cell{Yes, Yes, Yes, Yes, Yes}, false, false},
	{Public, "The sign-in page", [5]Cell{Yes, Yes, Yes, Yes, Yes}, false, false},
	{SetUp, "Create the first owner, with the one-time link", [5]Cell{Yes, Yes, Yes, Yes, Yes}, false, false},
	{Invited, "Accept an invitation, with its one-time link", [5]Cell{Yes, Yes, Yes, Yes, Yes}, false, false},
	{SignedIn, "The own account and its sessions", [5]Cell{Yes, Yes, Yes, Yes, Yes}, false, false},
	{Factor, "Set up and remove the own second factor", [5]Cell{Yes, Yes, Yes, Yes, Yes}, false, true},
	{Calendar, "Make and withdraw the own calendar address", [5]Cell{Yes, Yes, Yes, Yes, Yes}, false, true},
	{Overview, "Overview and search", [5]Cell{Yes, Yes, Yes, Yes, Yes}, false, false},
	{ConfigRead, "Read entries, versions and reports, secrets by their fingerprint", [5]Cell{Yes, Yes, Yes, Yes, Yes}, false, false},
	{ConfigWrite, "Save entries as pending, discard, compare a paste", [5]Cell{Yes, Yes, Yes, No, No}, false, false},
	{ConfigPromote, "Put a version in force, roll back", [5]Cell{Yes, Yes, Outside, No, No}, false, false},
	{ConfigApprove, "Approve or reject the pending version of somebody else", [5]Cell{Yes, Yes, Outside, No, No}, false, true},
	{ConfigRule, "Say what a version needs before it is put in force", [5]Cell{Yes, Yes, No, No, No}, false, true},
	{ConfigDelete, "Delete an entry", [5]Cell{Yes, Yes, No, No, No}, false, false},
	{ConfigTest, "Test a connection", [5]Cell{Yes, Yes, Yes, No, No}, false, false},
	{ConfigReveal, "Reveal a secret", [5]Cell{Yes, Yes, No, No, No}, false, true},
	{ConfigExport, "Export the case file of a test", [5]Cell{Yes, Yes, Yes, No, No}, false, true},
	{EntriesExport, "Export entries; their secrets, sealed, only who may reveal them", [5]Cell{Yes, Yes, No, Yes, No}, false, true},
	{EntriesImport, "Import entries", [5]Cell{Yes, Yes, No, No, No}, false, false},
	{ConnectorRead, "Read the catalogue of connectors", [5]Cell{Yes, Yes, Yes, Yes, Yes}, false, false},
	{WebhookRead, "Read notifications, whose bodies may hold personal data", [5]Cell{Yes, Yes, Yes, Yes, No}, false, false},
	{WebhookReplay, "Send a notification to another address", [5]Cell{Yes, Yes, No, No, No}, false, true},
	{AuditRead, "Read the audit log", [5]Cell{Yes, Yes, No, Yes, No}, false, false},
	{AuditExport, "Export the audit log", [5]Cell{Yes, Yes, No, Yes, No}, true, true},
	{AuditCheck, "See how the whole log stands, follow it, have it checked", [5]Cell{Yes, Yes, No, Yes, No}, true, false},
	{TeamRead, "See people and what they may do", [5]Cell{Yes, Yes, No, Yes, No}, false, false},
	{TeamWrite, "Invite, change and disable people, up to the own role", [5]Cell{Yes, Yes, No, No, No}, false, true},
	{TeamSessions, "See and end the sessions of others", [5]Cell{Yes, No, No, No, No}, false, true},
	{RadarPause, "Pause the radar", [5]Cell{Yes, Yes, No, No, No}, true, false},
	{SettingsRead, "Read the settings of the instance", [5]Cell{Yes, Yes, No, Yes, No}, true, false},
	{SettingsCheck, "Check the public address", [5]Cell{Yes, Yes, No, No, No}, true, false},
	{BackupTake, "Make and download backups", [5]Cell{Yes, No, No, No, No}, true, true},
	{SignInManage, "Change how people sign in", [5]Cell{Yes, No, No, No, No}, true, true},
	{KeysManage, "Make, use and retire the keys that seal", [5]Cell{Yes, No, No, No, No}, true, true},
}

// Matrix is the whole of it, for pages and documents. It belongs to the caller.
func Matrix() []Row { return slices.Clone(matrix) }

// NeedsProof reports whether what p allows asks for the password again if it was
// not given a moment ago ([SessionStore.Proven]).
func (p Permission) NeedsProof() bool {
	return slices.ContainsFunc(matrix, func(r Row) bool { return r.Permission == p && r.Proof })
}

// ParseRole returns the role that s names, and refuses any other text.
func ParseRole(s string) (Role, error) {
	if Role(s).column() < 0 {
		return "", fmt.Errorf("unknown role %q", s)
	}
	return Role(s), nil
}

// A Grant is what somebody may do: a role, for all entries or for some.
type Grant struct {
	Role    Role    `json:"role"`
	Entries Pattern `json:"entries,omitempty"`
}

// May reports whether the matrix gives p to the grant. production says whether
// this instance serves production.
func (g Grant) May(p Permission, production bool) bool {
	column := g.Role.column()
	i := slices.IndexFunc(matrix, func(r Row) bool { return r.Permission == p })
	if column < 0 || i < 0 || matrix[i].House && !g.Entries.All() {
		return false
	}
	switch matrix[i].Cells[column] {
	case Yes:
		return true
	case Outside:
		return !production
	}
	return false
}

// Reaches reports whether who has g may give other to somebody, or change
// somebody who has it: nobody reaches above the own role, nor past the own
// entries.
func (g Grant) Reaches(other Grant) bool {
	mine, theirs := g.Role.column(), other.Role.column()
	return mine >= 0 && theirs >= mine && other.Entries.Within(g.Entries)
}

// Check refuses a grant that means nothing, or that nobody should have.
func (g Grant) Check() error {
	if g.Role.column() < 0 {
		return errRole
	}
	if err := g.Entries.check(); err != nil {
		return err
	}
	if g.Role == Owner && !g.Entries.All() {
		return errLimitedOwner
	}
	return nil
}

// A FactorPolicy says who has to have a second factor. The zero one is
// FactorForReveal.
type FactorPolicy string

// The policies.
const (
	FactorOff       FactorPolicy = "off"
	FactorForReveal FactorPolicy = "reveal" // whose role may reveal secrets
	FactorForAll    FactorPolicy = "all"
)

// Requires reports whether somebody with the grant has to have a second factor.
func (p FactorPolicy) Requires(g Grant) bool {
	return p == FactorForAll || p != FactorOff && g.May(ConfigReveal, true)
}
