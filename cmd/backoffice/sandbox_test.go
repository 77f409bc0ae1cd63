package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"backoffice/internal/egress"
)

// The sandbox's client reaches this machine under each of its names, and no
// other that its operator has not named.
func TestNotifier(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	t.Cleanup(srv.Close)
	client, err := notifier("http://localhost:8080/webhooks/intercom")
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{srv.URL, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)} {
		res, err := client.Head(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		res.Body.Close()
		if res.StatusCode != http.StatusAccepted {
			t.Errorf("%s: %d", address, res.StatusCode)
		}
	}
	for _, address := range []string{"http://10.0.0.1/", "https://10.0.0.1/", "http://169.254.169.254/", "http://192.0.2.1/"} {
		if _, err := client.Head(address); !refused(err) {
			t.Errorf("%s: %v", address, err)
		}
	}
	named, err := notifier("http://10.9.8.7:1/webhooks/intercom")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := named.Head("http://10.9.8.6:1/"); !refused(err) {
		t.Errorf("the neighbour of the named host: %v", err)
	}
}

func refused(err error) bool {
	var e *egress.Error
	return errors.As(err, &e) && e.Class == egress.Refused
}
