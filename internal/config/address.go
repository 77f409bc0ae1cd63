package config

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"backoffice/internal/connector"
	"backoffice/internal/errs"
)

// tokenOrigin refuses values with which the definition's URLs do not hold, and
// returns the origin that the client secret is for. A kept secret stays with the
// origin for which it was typed: whoever may edit an address, or a definition,
// must not get a secret that way.
func tokenOrigin(def *connector.Definition, d Draft, base Opened, c content) (string, error) {
	if def == nil || def.OAuth == nil {
		return "", nil
	}
	ends, err := def.Resolve(c.texts())
	if err != nil {
		return "", c.atFault(err)
	}
	now := OriginOf(ends.Token)
	kept := slices.ContainsFunc(d.Values, func(in Input) bool { return in.Keep && in.Key == def.OAuth.ClientSecretKey })
	if kept && base.TokenOrigin != now {
		return "", errs.Field(def.OAuth.ClientSecretKey, fmt.Sprintf("The token address is now at %s. Paste the client secret again, so that it never goes to a new address unnoticed.", now))
	}
	return now, nil
}

// atFault is the part of what Resolve returned that is about values that are
// there. An optional one that is missing leaves the entry without addresses,
// which is for a test to say, not a reason to refuse the entry.
func (c content) atFault(err error) error {
	fields := errs.Fields(err)
	if len(fields) == 0 {
		return err
	}
	var faults []error
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if v, ok := c.values[key]; ok && !v.text.IsZero() {
			faults = append(faults, errs.Field(key, fields[key]))
		}
	}
	return errors.Join(faults...)
}

// texts is Opened.Texts for content that is not a version yet.
func (c content) texts() map[string]string {
	texts := map[string]string{}
	for key, v := range c.values {
		if !c.secrets[key] {
			texts[key] = v.text.Reveal()
		}
	}
	return texts
}

// OriginOf is the scheme, host and port of a URL that connector.Resolve proved.
func OriginOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
