// Command longlog puts many events into a data file that nobody has open: for the
// test of the page of a long log. It is a program of its own because filling takes
// many times longer with the race detector, which tests run with.
//
//	longlog FILE COUNT
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"backoffice/internal/audit"
	"backoffice/internal/store"
	"backoffice/internal/store/bolt"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "longlog:", err)
		os.Exit(1)
	}
}

// share is how many events share a commit.
const share = 20_000

func run() error {
	if len(os.Args) != 3 {
		return fmt.Errorf("usage: longlog FILE COUNT")
	}
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		return err
	}
	db, err := bolt.Open(os.Args[1])
	if err != nil {
		return err
	}
	began := time.Now().Add(-time.Duration(count) * time.Minute)
	for n := 0; n < count; n += share {
		err := db.Update(context.Background(), func(tx store.Tx) error {
			for i := n; i < min(n+share, count); i++ {
				if err := audit.Append(tx, event(i, began)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return db.Close()
}

// event is the i-th: of ten people about a thousand entries, one a minute.
func event(i int, began time.Time) audit.Event {
	e := audit.Event{Time: began.Add(time.Duration(i) * time.Minute), Actor: audit.Actor{ID: "x", Name: fmt.Sprintf("person-%d@acme.example", i%10), Addr: fmt.Sprintf("203.0.113.%d", i%50)},
		Action: audit.EntrySaved, Target: fmt.Sprintf("acme-%05d:intercom", i%1000), Version: 1, Outcome: audit.Done, Reason: "Rotate the client secret, as every quarter"}
	if i%40 == 0 {
		e.Outcome = audit.Failed
	}
	return e
}
