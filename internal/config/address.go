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

// checkAddresses refuses values with which the definition's URLs do not hold,
// and a change of the token address that would carry a kept secret to another
// origin: whoever may edit an address must not get a secret that way.
func checkAddresses(def *connector.Definition, d Draft, base Opened, c content) error {
	if def == nil || def.OAuth == nil {
		return nil
	}
	now, err := def.Resolve(c.texts())
	if err != nil {
		return c.atFault(err)
	}
	if !slices.ContainsFunc(d.Values, func(in Input) bool { return in.Keep && in.Key == def.OAuth.ClientSecretKey }) {
		return nil
	}
	before, err := def.Resolve(base.Texts())
	if err == nil && originOf(before.Token) == originOf(now.Token) {
		return nil
	}
	return errs.Field(def.OAuth.ClientSecretKey, fmt.Sprintf("The token address is now at %s. Paste the client secret again, so that it never goes to a new address unnoticed.", originOf(now.Token)))
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

// originOf is the beginning of a URL that connector.Resolve proved.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
