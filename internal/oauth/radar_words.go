package oauth

// Headline is the reason in words for people, without a full stop.
func (r RadarReason) Headline() string { return radarHeadlines[r] }

var radarHeadlines = map[RadarReason]string{
	RadarNotAsked:      "The radar has not asked yet",
	RadarAsBefore:      "The provider answers as it did at the last test that proved client ID and secret",
	RadarAsCorrupted:   "Client secret is refused now",
	RadarAsMadeUp:      "Client ID is not known any more",
	RadarEither:        "Client ID or secret is refused now",
	RadarExpired:       "Client secret has expired",
	RadarOther:         "The provider gave an answer that it did not give at the last test",
	RadarSilent:        "The provider gave no answer that can be compared",
	RadarNotCalibrated: "No test without consent has proven these values yet, so there is nothing to compare with",
	RadarNotReady:      "The version in force cannot be tested as it is",
}

// fields are those that a reason for Wrong is about.
func (r RadarReason) fields() []Field {
	switch r {
	case RadarAsCorrupted, RadarExpired:
		return []Field{ClientSecret}
	case RadarAsMadeUp:
		return []Field{ClientID}
	case RadarEither:
		return []Field{ClientID, ClientSecret}
	}
	return nil
}
