package sandbox

// A Permission is one of Intercom's permissions that the sandbox's reads need.
// They are ticked in the app's settings, never sent in a URL.
type Permission int

// The permissions.
const (
	ReadOneAdmin Permission = iota
	ReadAdmins
	ReadUsers
	ReadConversations
	ReadTags
	ReadArticles
	permissions
)

// Permissions is a set of them.
type Permissions uint

const allPermissions = Permissions(1)<<permissions - 1

// PermissionSet returns the set of the given permissions.
func PermissionSet(of ...Permission) Permissions {
	var s Permissions
	for _, p := range of {
		s |= 1 << p
	}
	return s
}

// Has reports whether p is in the set.
func (s Permissions) Has(p Permission) bool { return s&(1<<p) != 0 }

// permissionWords has what Intercom shows for a permission, and how its error
// names it: the machine name where one is published, else the label.
var permissionWords = [permissions]struct{ key, label, scope, reads string }{
	ReadOneAdmin:      {"read_one_admin", "Read one admin", "read_single_admin", "GET /me"},
	ReadAdmins:        {"read_admins", "Read admins", "Read admins", "GET /admins, and by its switch GET /teams"},
	ReadUsers:         {"read_users", "Read and list users and companies", "Read and list users and companies", "GET /contacts"},
	ReadConversations: {"read_conversations", "Read conversations", "read_conversations", "GET /conversations"},
	ReadTags:          {"read_tags", "Read tags", "Read tags", "GET /tags"},
	ReadArticles:      {"read_articles", "Read and List articles", "read_articles_scope", "GET /articles"},
}

// String is the label that Intercom shows.
func (p Permission) String() string {
	if p < 0 || p >= permissions {
		return "unknown permission"
	}
	return permissionWords[p].label
}
