package auth

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/gorilla/sessions"
)

// cookieName over https binds the cookie to this very host and to the path "/";
// browsers refuse the prefix over plain http.
func cookieName(secure bool) string {
	if secure {
		return "__Host-backoffice"
	}
	return "backoffice"
}

// tokenSize is the number of random bytes in a session's id and in its secret.
const tokenSize = 32

var tokenBase64 = base64.RawURLEncoding.Strict()

func newToken() string { return tokenBase64.EncodeToString(random(tokenSize)) }

func isToken(s string) bool {
	if len(s) != tokenBase64.EncodedLen(tokenSize) || strings.ContainsAny(s, "\r\n") { // which the decoder would skip
		return false
	}
	_, err := tokenBase64.DecodeString(s)
	return err == nil
}

// parseCookie splits "id.secret". Whatever else a browser sends is no session.
func parseCookie(value string) (id, key string, ok bool) {
	id, key, ok = strings.Cut(value, ".")
	if !ok || !isToken(id) || !isToken(key) {
		return "", "", false
	}
	return id, key, true
}

// cookieOptions are the attributes of the cookie, which ends with the browser's
// own session. No Domain: other hosts never get it.
func cookieOptions(secure bool) *sessions.Options {
	return &sessions.Options{Path: "/", Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

func (st *SessionStore) setCookie(w http.ResponseWriter, value string) {
	http.SetCookie(w, sessions.NewCookie(st.name, value, cookieOptions(st.secure)))
}

func (st *SessionStore) dropCookie(w http.ResponseWriter) {
	o := cookieOptions(st.secure)
	o.MaxAge = -1
	http.SetCookie(w, sessions.NewCookie(st.name, "", o))
}
