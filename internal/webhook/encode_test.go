package webhook

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// What is stored is what json.Marshal makes of the record, whatever is in it: a
// member that is added to a record and forgotten in its encoding fails here.
func TestRecordsAreEncodedAsJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		var n Notification
		var m mark
		randomise(r, reflect.ValueOf(&n).Elem())
		randomise(r, reflect.ValueOf(&m).Elem())
		got, err := encodeNote(&n)
		sameJSON(t, n, got, err)
		n.Explanation, n.Replays = nil, nil
		got, err = encodeNote(&n)
		sameJSON(t, n, got, err)
		got, err = encodeMark(&m)
		sameJSON(t, m, got, err)
	}
	late := Notification{Received: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}
	if _, err := encodeNote(&late); err == nil {
		t.Error("a time that JSON cannot hold was encoded")
	}
}

func sameJSON(t *testing.T, v any, got []byte, err error) {
	t.Helper()
	want, wantErr := json.Marshal(v)
	if err != nil || wantErr != nil || string(got) != string(want) {
		t.Fatalf("encoded\n%s (%v), want\n%s (%v)", got, err, want, wantErr)
	}
}

// randomise fills in exported fields: each is its zero value now and then.
func randomise(r *rand.Rand, v reflect.Value) {
	texts := []string{"", "a", "acme:shop", `a "quoted" \ text`, "<b>&", "zwölf", "a\x00\n\x7f", "\xff", "\u2028", "日本"}
	if r.IntN(4) == 0 {
		return
	}
	if _, ok := v.Interface().(time.Time); ok {
		v.Set(reflect.ValueOf(time.Unix(r.Int64N(2e9), r.Int64N(2)*r.Int64N(1e9)).In(time.FixedZone("", 3600*r.IntN(3)))))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(texts[r.IntN(len(texts))])
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64() - r.Int64())
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		randomise(r, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(4), 4))
		for i := range v.Len() {
			randomise(r, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				randomise(r, v.Field(i))
			}
		}
	}
}
