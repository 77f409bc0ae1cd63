package e2e

import "testing"

const (
	email    = "owner@acme.example"
	password = "correct horse battery"
)

func TestSetup(t *testing.T) {
	t.Parallel()
	house := start(t)
	ada := house.person(t)
	ada.Open("/config")
	ada.At("/login?next=%2Fconfig")

	ada.Open(house.setup)
	ada.See("Create the first admin")
	ada.Fill("E-mail", email)
	ada.Fill("Password", password)
	ada.Fill("The password again", password+"?")
	ada.FollowRefused("Create the admin", 422)
	ada.See("Nothing was created yet")
	ada.WantValue("E-mail", email)
	ada.Fill("Password", password)
	ada.Fill("The password again", password)
	ada.Follow("Create the admin")
	ada.At("/")
	ada.See("Nothing is configured yet")

	eve := house.person(t)
	eve.OpenRefused(house.setup, 404)
	eve.NotSee("Create the first admin")
}
