package config

import (
	"regexp"
	"strings"

	"backoffice/internal/errs"
)

// An ID names an entry: "vendor:service" or "vendor:service:module", as in
// "acme:intercom" or "acme:google:drive". Case counts.
type ID string

// part is one of the two or three parts of an ID. It holds nothing that would
// need escaping in a URL, a store key or a log line.
var part = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// ParseID returns the ID that s spells, or an errs.Field error on "id" that
// says what is wrong with it.
func ParseID(s string) (ID, error) {
	const form = "An id has the form vendor:service or vendor:service:module, for example acme:intercom."
	if s == "" {
		return "", errs.Field("id", "Type an id. "+form)
	}
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return "", errs.Field("id", form)
	}
	for _, p := range parts {
		if !part.MatchString(p) {
			return "", errs.Field("id", form+" Each part has letters, digits, dots, hyphens and underscores, at most 64, and starts with a letter or a digit.")
		}
	}
	return ID(s), nil
}

// Vendor is the first part: whose app it is.
func (id ID) Vendor() string { return id.part(0) }

// Service is the second part: which service the app is registered with.
func (id ID) Service() string { return id.part(1) }

// Module is the third part, or "" if there is none.
func (id ID) Module() string { return id.part(2) }

func (id ID) part(i int) string {
	parts := strings.SplitN(string(id), ":", 3)
	if i >= len(parts) {
		return ""
	}
	return parts[i]
}
