package e2e

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	bytesof "encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"
)

// appCode is what an app with this key shows, so many periods from now.
func appCode(t *testing.T, key string, later int64) string {
	t.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(key, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, secret)
	_ = bytesof.Write(mac, bytesof.BigEndian, time.Now().Unix()/30+later)
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", (bytesof.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff)%1_000_000)
}

// Whoever has to have a second factor sets one up first, and signs in with it: by
// a code of the app, and without the app by a recovery code.
func TestSecondFactor(t *testing.T) {
	t.Parallel()
	house := start(t, "--second-factor=reveal")
	ada := house.person(t)
	ada.Open(house.setup)
	ada.Fill("E-mail", email)
	ada.Fill("Password", password)
	ada.Fill("The password again", password)
	ada.Follow("Create the admin")
	ada.At("/account/factor")
	ada.See("Your role needs a second factor")
	ada.Open("/config")
	ada.At("/account/factor")
	ada.Follow("Set up an app")
	ada.accessible()
	if side := eval[float64](ada, `document.querySelector("svg.qr").getBoundingClientRect().width`); side < 150 {
		t.Errorf("the QR code is %.0f pixels wide", side)
	}
	key := ada.Value("Key")
	ada.Fill("The code that the app shows", "12345")
	ada.FollowRefused("Confirm", 422)
	ada.See("This code is not right")
	ada.WantValue("Key", key)
	ada.Fill("The code that the app shows", appCode(t, key, 0))
	ada.Follow("Confirm")
	ada.See("Recovery codes", "10 of 10 left")
	ada.accessible()
	recovery := eval[string](ada, `document.querySelector(".codes code").textContent`)
	ada.Open("/config")
	ada.See("Add the first entry")

	later := house.person(t)
	later.Open("/login?next=%2Fconfig")
	later.Fill("E-mail", email)
	later.Fill("Password", password)
	later.Follow("Sign in")
	later.See("One more step")
	later.accessible()
	later.Fill("Code", "000000")
	later.FollowRefused("Sign in", 422)
	later.See("This code is not right")
	later.Fill("Code", appCode(t, key, 1))
	later.Follow("Sign in")
	later.At("/config")

	lost := house.person(t)
	lost.Open("/login")
	lost.Fill("E-mail", email)
	lost.Fill("Password", password)
	lost.Follow("Sign in")
	lost.Fill("Code", recovery)
	lost.Follow("Sign in")
	lost.At("/")
	lost.Open("/account/factor")
	lost.See("9 of 10 left")
}
