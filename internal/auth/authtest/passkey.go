// Package authtest has a passkey in software, for tests that need no browser: it
// makes credentials and signs answers as an authenticator and a browser do together
// (WebAuthn, sections 6.1, 6.5 and 5.8.1), and does wrong what a test tells it to.
package authtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// A Passkey is one credential with the browser that it is used in.
type Passkey struct {
	Origin           string // that the browser is at
	Host             string // RP ID that the authenticator signs for
	Verified         bool   // it verifies its person
	Syncable, Synced bool   // BE and BS
	Count            uint32 // that it says next; a test moves it on
	User             []byte // user handle that it was made for
	ID               []byte

	key *ecdsa.PrivateKey
}

// New returns a passkey that verifies its person and does not count, in a browser at
// origin, whose host is host.
func New(origin, host string) *Passkey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // there is no randomness
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	return &Passkey{Origin: origin, Host: host, Verified: true, ID: id, key: key}
}

// question is what a site asks, as far as it matters here.
type question struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		User      struct {
			ID string `json:"id"`
		} `json:"user"`
	} `json:"publicKey"`
}

func (p *Passkey) read(text string) question {
	var q question
	if err := json.Unmarshal([]byte(text), &q); err != nil {
		panic(fmt.Sprintf("no question: %v", err))
	}
	return q
}

var b64 = base64.RawURLEncoding

// Make answers a question for a new credential, with attestation "none".
func (p *Passkey) Make(asked string) (answer string) {
	q := p.read(asked)
	p.User, _ = b64.DecodeString(q.PublicKey.User.ID)
	attested := bytes.Join([][]byte{make([]byte, 16), binary.BigEndian.AppendUint16(nil, uint16(len(p.ID))), p.ID, p.cose()}, nil)
	data := p.data(0x40, attested)
	object := bytes.Join([][]byte{{0xa3, 0x63}, []byte("fmt"), {0x64}, []byte("none"), {0x67}, []byte("attStmt"), {0xa0, 0x68}, []byte("authData"),
		binary.BigEndian.AppendUint16([]byte{0x59}, uint16(len(data))), data}, nil)
	return p.answer(map[string]any{"clientDataJSON": b64.EncodeToString(p.client("webauthn.create", q)), "attestationObject": b64.EncodeToString(object),
		"transports": []string{"internal"}})
}

// Answer answers a question for a credential that is there.
func (p *Passkey) Answer(asked string) (answer string) {
	client, data := p.client("webauthn.get", p.read(asked)), p.data(0, nil)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(bytes.Clone(data), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, p.key, sum[:])
	if err != nil {
		panic(err)
	}
	return p.answer(map[string]any{"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(data),
		"signature": b64.EncodeToString(signature), "userHandle": b64.EncodeToString(p.User)})
}

// client is what the browser says.
func (p *Passkey) client(kind string, q question) []byte {
	b, err := json.Marshal(map[string]any{"type": kind, "challenge": q.PublicKey.Challenge, "origin": p.Origin, "crossOrigin": false})
	if err != nil {
		panic(err)
	}
	return b
}

// data is what the authenticator says.
func (p *Passkey) data(flags byte, more []byte) []byte {
	flags |= 0x01 // somebody is there
	for bit, set := range map[byte]bool{0x04: p.Verified, 0x08: p.Syncable, 0x10: p.Synced} {
		if set {
			flags |= bit
		}
	}
	host := sha256.Sum256([]byte(p.Host))
	return append(binary.BigEndian.AppendUint32(append(host[:], flags), p.Count), more...)
}

// cose is the public key as a COSE_Key of ES256.
func (p *Passkey) cose() []byte {
	point, err := p.key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return bytes.Join([][]byte{{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32}, point[1:33], {0x22, 0x58, 32}, point[33:]}, nil)
}

func (p *Passkey) answer(response map[string]any) string {
	id := b64.EncodeToString(p.ID)
	b, err := json.Marshal(map[string]any{"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response})
	if err != nil {
		panic(err)
	}
	return string(b)
}
