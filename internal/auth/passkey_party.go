package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/netip"
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// party is the relying party of WebAuthn: the host of the public URL, and that URL
// as the only origin. It is nil where there can be none.
type party struct {
	*webauthn.WebAuthn
	decoy []byte // the COSE key of nobody: what stands in where there is no passkey
}

// newParty returns nil for no URL, and for one whose host is an IP address.
func newParty(public *url.URL) *party {
	if public == nil {
		return nil
	}
	host := strings.ToLower(public.Hostname())
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return nil
	}
	w, err := webauthn.New(&webauthn.Config{RPID: host, RPDisplayName: "BackOffice " + public.Host, RPOrigins: []string{public.Scheme + "://" + public.Host},
		AttestationPreference:             protocol.PreferNoAttestation,
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore}) // some password managers add some, and none is looked at
	if err != nil {
		return nil
	}
	decoy, err := decoyKey()
	if err != nil {
		return nil
	}
	return &party{w, decoy}
}

// id is the RP ID.
func (p *party) id() string { return p.Config.RPID }

// decoyKey is the public half of a key that is thrown away, as a COSE_Key of ES256.
func decoyKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	point, err := key.PublicKey.Bytes() // 04, x, y
	if err != nil {
		return nil, err
	}
	return bytes.Join([][]byte{{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32}, point[1:33], {0x22, 0x58, 32}, point[33:]}, nil), nil
}

// holder is a person as the library asks about one. The user handle is the id of
// the account, which is random.
type holder struct {
	id, email string
	keys      []passkey
}

func (h holder) WebAuthnID() []byte          { return []byte(h.id) }
func (h holder) WebAuthnName() string        { return h.email }
func (h holder) WebAuthnDisplayName() string { return h.email }
func (h holder) WebAuthnCredentials() (out []webauthn.Credential) {
	for _, k := range h.keys {
		out = append(out, k.credential())
	}
	return out
}

// usable are the passkeys that can be asked for at this host.
func (p *party) usable(keys []passkey) (out []passkey) {
	for _, k := range keys {
		if k.Host == p.id() && k.Stopped.IsZero() {
			out = append(out, k)
		}
	}
	return out
}
