package server

import "strings"

// These say what browser a person sits at, as far as its User-Agent tells. The
// order matters: most browsers name others too.
var (
	browserNames = []struct{ sign, name string }{{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"HeadlessChrome/", "Chrome without a window"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"}}
	systemNames = []struct{ sign, name string }{{"iPhone", "an iPhone"}, {"iPad", "an iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"}, {"Mac OS X", "a Mac"},
		{"Linux", "Linux"}}
)

// deviceOf is a User-Agent in words: "Firefox on Linux".
func deviceOf(agent string) string {
	device := "Another browser"
	if agent == "" {
		device = "Not named"
	}
	for _, b := range browserNames {
		if strings.Contains(agent, b.sign) {
			device = b.name
			break
		}
	}
	for _, s := range systemNames {
		if strings.Contains(agent, s.sign) {
			return device + " on " + s.name
		}
	}
	return device
}
