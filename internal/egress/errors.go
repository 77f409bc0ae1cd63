package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	"backoffice/internal/errs"
)

// A Class says what kept a call from its answer. The zero Class is none.
type Class int

// The classes.
const (
	None      Class = iota
	Refused         // the guard does not call this address
	DNS             // the name has no address, or the name servers did not say
	Connect         // no connection
	TLS             // no secure connection; see Fault
	Timeout         // the time of the call, or of one phase of it, was over
	TooLarge        // headers or body
	Redirect        // a redirect that is not followed, where following was asked for
	Protocol        // what came back is not HTTP, is cut off or cannot be unpacked
	Cancelled       // the caller gave up
)

var classNames = [...]string{"", "refused", "dns", "connect", "tls", "timeout", "too large", "redirect", "protocol", "cancelled"}

func (c Class) String() string { return nameOf(classNames[:], int(c), "class") }

// MarshalText refuses a class that does not exist.
func (c Class) MarshalText() ([]byte, error) { return marshalName(classNames[:], int(c), "class") }

// UnmarshalText refuses unknown text.
func (c *Class) UnmarshalText(text []byte) error {
	n, err := parseName(classNames[:], text, "class")
	*c = Class(n)
	return err
}

// A Fault says what is wrong with a secure connection. The zero Fault is none.
type Fault int

// The faults.
const (
	NoFault          Fault = iota
	Expired                // the certificate is past its end
	NotYetValid            // its time has not begun: often our own clock
	WrongName              // it is for another host
	UnknownAuthority       // nobody whom we trust has signed it
	NotTLS                 // the port does not speak TLS
	Handshake              // anything else, as a protocol older than TLS 1.2
)

var faultNames = [...]string{"", "expired", "not yet valid", "wrong name", "unknown authority", "not tls", "handshake"}

func (f Fault) String() string { return nameOf(faultNames[:], int(f), "fault") }

// MarshalText refuses a fault that does not exist.
func (f Fault) MarshalText() ([]byte, error) { return marshalName(faultNames[:], int(f), "fault") }

// UnmarshalText refuses unknown text.
func (f *Fault) UnmarshalText(text []byte) error {
	n, err := parseName(faultNames[:], text, "fault")
	*f = Fault(n)
	return err
}

// An Error is a call without a whole answer. Its text is for people: it names at
// most the host, and never a path, a query, a header or a body. errs.Of gives
// the same words, as Invalid for a refused address and Unavailable otherwise.
type Error struct {
	Class Class
	Fault Fault // of class TLS only
	Msg   string

	cause error // context.Canceled or context.DeadlineExceeded; others may quote what was received
}

func (e *Error) Error() string { return e.Msg }

func (e *Error) Unwrap() error { return e.cause }

// Timeout makes the *url.Error around e answer as net.Error does.
func (e *Error) Timeout() bool { return e.Class == Timeout }

// As lets errs.Of find the words.
func (e *Error) As(target any) bool {
	t, ok := target.(**errs.Error)
	if !ok {
		return false
	}
	k := errs.Unavailable
	if e.Class == Refused {
		k = errs.Invalid
	}
	*t = &errs.Error{Kind: k, Msg: e.Msg}
	return true
}

// errRefused is the one answer for every address that is not called, so that
// nobody learns from it what there is in the network.
var errRefused = &Error{Class: Refused, Msg: "This address is not called from here. " +
	"Only public addresses are, and hosts that the operator has put on the allow-list."}

func refuse(msg string) error { return &Error{Class: Refused, Msg: msg} }

// Clean takes the [*Error] out of an error of a client or of a body, without
// the words around it, which have the whole URL. An *url.Error without one
// inside gives an Error of class Protocol; any other error is returned as it is.
func Clean(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return &Error{Class: Protocol, Msg: "The call failed before an answer could be read."}
	}
	return err
}

// handshakeError marks what went wrong after the connection and before HTTP.
type handshakeError struct {
	err error
	at  time.Time // by the guard's clock
}

func (e *handshakeError) Error() string { return "TLS handshake: " + e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

// describe finds the class and the words for err. during is the phase in which
// it happened, ctx the context of the whole call.
func describe(ctx context.Context, err error, host string, during phase) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return &Error{Class: Cancelled, Msg: "The call was cancelled.", cause: context.Canceled}
	}
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return timedOut(host, during)
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return describeDNS(e, host)
	}
	if e, ok := errors.AsType[*handshakeError](err); ok {
		return describeTLS(e, host)
	}
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() {
		return timedOut(host, during)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return describeDial(err, host)
	}
	// net/http has no type for this one; TestHeaders holds the wording.
	if strings.Contains(err.Error(), "response headers exceeded") {
		return &Error{Class: TooLarge, Msg: fmt.Sprintf("The headers in the answer of %s are larger than %d KiB.", host, maxHeaders>>10)}
	}
	if during == receiving {
		return &Error{Class: Protocol, Msg: "The answer of " + host + " is cut off or damaged."}
	}
	return &Error{Class: Protocol, Msg: host + " closed the connection without an answer, or its answer is not HTTP/1.1."}
}

func timedOut(host string, during phase) *Error {
	msg := map[phase]string{
		resolving:  "The name servers did not answer in time for " + host + ".",
		connecting: host + " did not accept a connection in time.",
		securing:   host + " did not finish setting up a secure connection in time.",
		sending:    host + " did not take the whole request in time.",
		waiting:    host + " accepted the request and did not answer in time.",
		receiving:  host + " did not finish its answer in time.",
	}[during]
	return &Error{Class: Timeout, Msg: msg, cause: context.DeadlineExceeded}
}

func describeDNS(e *net.DNSError, host string) *Error {
	if e.IsNotFound {
		return &Error{Class: DNS, Msg: "The name " + host + " has no address. Check its spelling."}
	}
	return &Error{Class: DNS, Msg: "The name servers gave no answer for " + host +
		". Try again; if it stays so, the operator should check the server's name resolution."}
}

func describeDial(err error, host string) *Error {
	msg := "No connection to " + host + " could be made. Check the host, the port, and whether a firewall lets this server out."
	if errors.Is(err, syscall.ECONNREFUSED) {
		msg = host + " refused the connection: nothing listens on that port, or a firewall turns this server away."
	}
	return &Error{Class: Connect, Msg: msg}
}

func describeTLS(failed *handshakeError, host string) *Error {
	e := &Error{Class: TLS, Fault: faultOf(failed.err, failed.at)}
	e.Msg = map[Fault]string{
		Expired:          "The certificate of " + host + " has expired. Whoever runs that host must renew it.",
		NotYetValid:      "The certificate of " + host + " is not valid yet. Check the clock of this server.",
		WrongName:        "The certificate that " + host + " shows is for another host. Check the spelling of the address.",
		UnknownAuthority: "The certificate of " + host + " is signed by nobody whom this server trusts. If it is your own authority, the operator must add it.",
		NotTLS:           host + " does not speak TLS on that port. Check the port.",
		Handshake:        "No secure connection to " + host + " could be agreed on. TLS 1.2 or newer is needed.",
	}[e.Fault]
	return e
}

func faultOf(err error, at time.Time) Fault {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		if at.Before(e.Cert.NotBefore) { // crypto/x509 has one reason for both ends
			return NotYetValid
		}
		return Expired
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return WrongName
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return UnknownAuthority
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return NotTLS
	}
	return Handshake
}

func nameOf(names []string, n int, what string) string {
	if n < 0 || n >= len(names) {
		return fmt.Sprintf("%s %d", what, n)
	}
	return names[n]
}

func marshalName(names []string, n int, what string) ([]byte, error) {
	if n < 0 || n >= len(names) {
		return nil, fmt.Errorf("there is no %s %d", what, n)
	}
	return []byte(names[n]), nil
}

func parseName(names []string, text []byte, what string) (int, error) {
	for n, s := range names {
		if s == string(text) {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%q is no %s of a call", text, what)
}
