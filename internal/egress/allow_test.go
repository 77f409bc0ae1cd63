package egress

import (
	"strings"
	"testing"
)

func TestAllowEntries(t *testing.T) {
	for _, tt := range []struct{ in, name, network, remedy string }{
		{in: "idp.corp.example", name: "idp.corp.example"},
		{in: " IDP.corp.example. ", name: "idp.corp.example"},
		{in: "localhost", name: "localhost"},
		{in: "10.1.2.3", network: "10.1.2.3/32"},
		{in: "[fd12::5]", network: "fd12::5/128"},
		{in: "fd12::5", network: "fd12::5/128"},
		{in: "::ffff:10.1.2.3", network: "10.1.2.3/32"},
		{in: "10.1.0.0/16", network: "10.1.0.0/16"},
		{in: "fc00::/7", network: "fc00::/7"},
		{in: "", remedy: "remove it"},
		{in: "https://idp.corp.example", remedy: "without a scheme"},
		{in: "*.corp.example", remedy: "write each host"},
		{in: "10.1.2.3/16", remedy: "write 10.1.0.0/16"},
		{in: "10.1.2.3/99", remedy: "as 10.1.0.0/16"},
		{in: "idp.corp.example/path", remedy: "as 10.1.0.0/16"},
		{in: "::ffff:10.0.0.0/104", remedy: "as 10.1.0.0/16"},
		{in: "0.0.0.0/0", remedy: "one by one"},
		{in: "8.0.0.0/7", remedy: "one by one"},
		{in: "::/0", remedy: "one by one"},
		{in: "169.254.169.254", remedy: "never called"},
		{in: "169.254.169.254/32", remedy: "never called"},
		{in: "169.254.169.254:80", remedy: "never called"},
		{in: "224.0.0.0/8", remedy: "never called"},
		{in: "fe80::1%eth0", remedy: "without its zone"},
		{in: "idp.corp.example:0", remedy: "1 to 65535"},
		{in: "idp.corp.example:70000", remedy: "1 to 65535"},
		{in: "idp corp", remedy: "host name in ASCII"},
		{in: "bücher.example", remedy: "host name in ASCII"},
		{in: "127.1", remedy: "address in full"},
		{in: "0x7f000001", remedy: "address in full"},
		{in: strings.Repeat("a", 64) + ".example", remedy: "host name in ASCII"},
	} {
		e, err := parseEntry(tt.in)
		if tt.remedy != "" {
			if err == nil || !strings.Contains(err.Error(), tt.remedy) || !strings.Contains(err.Error(), tt.in) {
				t.Errorf("%q: %v, want its name and %q", tt.in, err, tt.remedy)
			}
			continue
		}
		network := ""
		if e.network.IsValid() {
			network = e.network.String()
		}
		if err != nil || e.name != tt.name || network != tt.network || e.port != 0 {
			t.Errorf("%q: %+v, %v", tt.in, e, err)
		}
	}
	for in, port := range map[string]uint16{"idp.corp.example:8443": 8443, "10.1.2.3:80": 80, "[fd12::5]:8443": 8443} {
		if e, err := parseEntry(in); err != nil || e.port != port {
			t.Errorf("%q: %+v, %v", in, e, err)
		}
	}
}

func TestNewReportsEveryMistake(t *testing.T) {
	_, err := New(Options{Allow: []string{"good.example", "*.bad.example", "http://worse.example"}, Ports: []int{8443, 0, 70000}})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"*.bad.example", "http://worse.example", "port 0:", "port 70000:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %q", want, err)
		}
	}
	if strings.Contains(err.Error(), "good.example") || strings.Contains(err.Error(), "8443") {
		t.Errorf("a good one is named: %q", err)
	}
}

func TestCheckURL(t *testing.T) {
	g := newGuard(t, Options{Allow: []string{"inside.example", "10.1.0.0/16", "half.example:8080"}, Ports: []int{8443}})
	for _, tt := range []struct{ url, problem string }{
		{"https://api.vendor.example/token", ""},
		{"https://api.vendor.example:443/", ""},
		{"https://api.vendor.example:8443/", ""},
		{"HTTPS://API.vendor.example./", ""},
		{"https://8.8.8.8/", ""},
		{"http://inside.example:1234/", ""},
		{"http://10.1.2.3:9/", ""},
		{"http://half.example:8080/", ""},
		{"http://api.vendor.example/", "https://"},
		{"http://8.8.8.8/", "https://"},
		{"http://half.example/", "https://"},
		{"ftp://inside.example/", "https://"},
		{"file:///etc/passwd", "https://"},
		{"//api.vendor.example/", "https://"},
		{"https:api.vendor.example", "https://"},
		{"https://api.vendor.example:22/", "port 22"},
		{"https://api.vendor.example:0/", "1 to 65535"},
		{"https://api.vendor.example:99999/", "1 to 65535"},
		{"https://CANARY@api.vendor.example/", "user name"},
		{"https://a:CANARY@inside.example/", "user name"},
		{"https:///path", "host name"},
		{"https://10.2.0.1/", "not called"},
		{"https://[::1]/", "not called"},
	} {
		err := g.CheckURL(mustURL(t, tt.url))
		if tt.problem == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.url, err)
			}
			continue
		}
		if e := wantClass(t, err, Refused); !strings.Contains(e.Msg, tt.problem) || strings.Contains(e.Msg, "CANARY") {
			t.Errorf("%s: %q, want %q", tt.url, e.Msg, tt.problem)
		}
	}
}
