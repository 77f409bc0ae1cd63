package auth

import (
	_ "embed"
	"slices"
	"strings"
)

//go:embed common/passwords.txt
var commonText string

// common are the passwords that are tried first everywhere, in lower case and in
// the order of their bytes. Only those that are long enough for us are kept;
// common/LICENSE says where they come from.
var common = strings.Fields(commonText)

// isCommon reports whether p, in any case, is one of them.
func isCommon(p string) bool {
	_, found := slices.BinarySearch(common, strings.ToLower(p))
	return found
}
