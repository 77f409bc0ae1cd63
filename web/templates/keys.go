package templates

// KeysPage is GET /settings/keys: the keys that seal the data. Its forms post to
// /settings/keys/rotate, /settings/keys/reseal and /settings/keys/retire; the last
// has key and copy.
type KeysPage struct {
	Frame
	May      bool // the person may change keys
	Writable bool // the program can write where the key is kept
	Facts    []Fact
	Keys     []SealingKey
	Counted  Time    // when what each seals was counted; the zero Time: it is being counted
	Stale    string  // "412 records" that other keys than the one that seals have sealed; "" for none
	Work     KeyWork // the zero KeyWork: nothing is under way
	Ends     []KeyEnd
}

// A SealingKey is one key. Its id is no secret.
type SealingKey struct {
	ID      string
	State   Verdict
	Word    string // "Seals", "Opens", "Retired"
	Since   Time
	Retired Time   // the zero Time: it is there
	Seals   string // "10,412 records"; "" if it is not known yet
}

// KeyWork is a re-sealing under way.
type KeyWork struct {
	UnderWay    bool
	Done, Total string // as the attributes of a meter: "412"; a Total of "" is not known yet
	Words       string // "412 of 10,412 records"
	By          string
	Begun       Time
}

// A KeyEnd is a key that could be retired, as far as it was counted.
type KeyEnd struct {
	ID   string
	Copy string // where a copy goes: "backoffice.key.with-0a1b2c3d"; "" offers none
}

// changes reports whether the page has what changes the keys.
func (p KeysPage) changes() bool { return p.May && p.Writable }

// reseals reports whether the page offers to seal anew.
func (p KeysPage) reseals() bool { return p.May && p.Stale != "" && !p.Work.UnderWay }
