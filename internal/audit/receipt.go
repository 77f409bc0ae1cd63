package audit

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"backoffice/internal/errs"
	"backoffice/internal/store"

	"golang.org/x/mod/sumdb/tlog"
)

// receiptHead is the first line of a receipt.
const receiptHead = "backoffice-receipt/1"

// Receipt returns a small text that proves, to whoever has the public key, that
// event n is in the log: the exact bytes of the event, the hashes on the way to
// the root, and a signed head that covers every event of now. Its format is in
// docs/audit-format.md. It returns an errs.NotFound for a number that the log
// does not have.
func (n *Notary) Receipt(ctx context.Context, number int64) ([]byte, error) {
	head, err := n.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	if number < 0 || number >= head.Size {
		return nil, errs.Newf(errs.NotFound, "The audit log has no event %d. Its newest is %d.", number, head.Size-1)
	}
	leaf, err := n.log.bytes(ctx, number)
	if err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	var proof tlog.RecordProof
	err = n.store.View(ctx, func(r store.Reader) error {
		proof, err = proveIn(r, head, number, leaf)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%d\n%s\n", receiptHead, number, leaf)
	for _, h := range proof {
		fmt.Fprintln(&b, h)
	}
	fmt.Fprintf(&b, "\n%s", head.Note)
	return b.Bytes(), nil
}

// proveIn returns the proof that leaf is event n of the tree that head signs,
// and checks it before it is given out.
func proveIn(r getter, head Checkpoint, n int64, leaf []byte) (tlog.RecordProof, error) {
	proof, err := tlog.ProveRecord(head.Size, n, hashReader{r})
	if err != nil {
		return nil, err
	}
	if err := tlog.CheckRecord(proof, head.Size, head.Root, n, tlog.RecordHash(leaf)); err != nil {
		return nil, forked("Event %d was changed after it was signed.", n)
	}
	return proof, nil
}

// A receipt is a text of Receipt, taken apart.
type receipt struct {
	number int64
	leaf   []byte
	proof  tlog.RecordProof
	signed []byte // head
}

func readReceipt(b []byte) (r receipt, err error) {
	top, signed, found := bytes.Cut(b, []byte("\n\n"))
	lines := strings.Split(string(top), "\n")
	if lines[0] != receiptHead || len(lines) < 3 || !found {
		return r, errors.New("it is no whole receipt")
	}
	r.leaf, r.signed = []byte(lines[2]), signed
	if r.number, err = strconv.ParseInt(lines[1], 10, 64); err != nil || strconv.FormatInt(r.number, 10) != lines[1] {
		return r, fmt.Errorf("%q is no number of an event", lines[1])
	}
	for _, line := range lines[3:] {
		h, err := parseHash(line)
		if err != nil {
			return r, err
		}
		r.proof = append(r.proof, h)
	}
	return r, nil
}

// parseHash reads a hash in its one form.
func parseHash(s string) (tlog.Hash, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != tlog.HashSize || strings.ContainsAny(s, "\r\n") {
		return tlog.Hash{}, fmt.Errorf("%q is no hash", s)
	}
	return tlog.Hash(b), nil
}
