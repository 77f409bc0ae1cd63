package connector

import (
	"errors"
	"strings"
	"testing"
)

// sound is a definition with every kind of object, to be broken.
const sound = `key: acme:crm
name: Acme CRM
initial: Ac
summary: A customer register that does not exist.
fields:
  - key: clientId
    label: Client ID
    required: true
  - key: clientSecret
    label: Client secret
    secret: true
  - key: region
    label: Region
    default: eu
    options:
      - {value: eu, label: Europe, set: {base: "https://eu.crm.example", zone: eu}}
      - {value: us, label: America, set: {base: "https://us.crm.example", zone: us}}
  - key: tenant
    label: Tenant
    pattern: '[a-z0-9]+'
    shape: letters and digits
oauth:
  authorizeUrl: "{base}/authorize"
  tokenUrl: "https://{tenant}.{zone}.crm.example/token"
  apiUrl: https://api.crm.example
  clientAuth: basic
  scopeDelimiter: ","
  defaultScopes: [contacts.read]
  authorizeParams: {audience: crm}
identity:
  url: "{base}/users/{tenant}?v=2"
  headers: {Crm-Version: "{tenant}"}
  permission: contacts.read
  facts:
    - {label: Account, path: account.name}
permissions:
  - name: contacts.read
    label: Read contacts
    aliases: [contacts_read, rc]
  - label: Write contacts
topics:
  - name: contact.made
    needs: [Write contacts]
webhooks:
  signatures:
    - {header: X-Sign, algorithm: sha256, encoding: hex}
  secretKeys: [clientSecret]
  aliases:
    - {alias: contact.created, topics: [contact.made]}
rateLimit: {limit: X-Limit}
links:
  - {label: Console, url: "https://crm.example/", for: console}
notes: [It is made up.]
`

func TestParse_sound(t *testing.T) {
	d, err := Parse("sound.yaml", []byte(sound))
	if err != nil {
		t.Fatal(err)
	}
	if d.Source != "sound.yaml" || d.Key != "acme:crm" || d.OAuth.ClientAuth != ClientSecretBasic || !d.OAuth.SendScopes || d.OAuth.PKCE {
		t.Errorf("read %+v with %+v", d, d.OAuth)
	}
	if p := d.Permissions[1]; p.ID() != "Write contacts" {
		t.Errorf("a permission without a name has the ID %q", p.ID())
	}
}

// Each case breaks sound in one way and names all faults that come of it.
var broken = []struct {
	name, old, new string
	want           []string // "line:column: words of the message"
}{
	{"not YAML", "name: Acme CRM", "name: [Acme", []string{"3:1: this is not YAML: ',' or ']' must be specified."}},
	{"tab", "name: Acme CRM", "\tname: Acme CRM", []string{"2:1: this is not YAML: found character tab that cannot start any token."}},
	{"second document", "notes: [It is made up.]", "notes: [It is made up.]\n---\nkey: b", []string{"1:1: a file holds exactly one definition. Remove further documents (---), or fill the empty file."}},
	{"unknown member", "initial: Ac", "Initial: Ac", []string{"3:1: there is no member \"Initial\" here. Write \"initial\"."}},
	{"unknown member without likeness", "  clientAuth: basic", "  clientAuth: basic\n  colour: red", []string{"27:3: there is no member \"colour\" here. Use authorizeUrl, tokenUrl, apiUrl, clientIdKey, clientSecretKey, redirectKey, clientAuth, secrets, pkce, sendScopes, scopeDelimiter, defaultScopes, authorizeParams, tokenFields, metadataUrl or knownErrors."}},
	{"member twice", "initial: Ac", "initial: Ac\nname: B", []string{"4:1: \"name\" stands here twice. Keep one of them."}},
	{"number for text", "name: Acme CRM", "name: 2.10", []string{"2:7: here stands a number, but text is wanted. Put it in quotes."}},
	{"nothing for text", "name: Acme CRM", "name:", []string{"2:6: here stands nothing, but text is wanted. Fill it, or leave the member out."}},
	{"variable without quotes", "apiUrl: https://api.crm.example", "apiUrl: {base}", []string{"25:11: here stands a group of members, but text is wanted. Write one text; one that begins with { [ & or * stands in quotes."}},
	{"list for text", "name: Acme CRM", "name: [a]", []string{"2:7: here stands a list, but text is wanted. Write one text; one that begins with { [ & or * stands in quotes."}},
	{"text for list", "notes: [It is made up.]", "notes: It is made up.", []string{"53:8: here stands text, but a list is wanted. Begin each item with \"- \"."}},
	{"text for members", "rateLimit: {limit: X-Limit}", "rateLimit: X-Limit", []string{"50:12: here stands text, but members are wanted. Write them as \"name: value\" lines."}},
	{"text for boolean", "    secret: true", "    secret: yes", []string{"11:13: here stands text. Write true or false."}},
	{"anchor", "name: Acme CRM", "name: &a Acme CRM", []string{"2:7: here stands an anchor or alias, but text is wanted. Write one text; one that begins with { [ & or * stands in quotes."}},
	{"control character", "name: Acme CRM", "name: \"Acme\\x07CRM\"", []string{"2:7: this text has a line break or another control character. Write it on one line, in quotes."}},
	{"line break in a token", "  apiUrl: https://api.crm.example", "  apiUrl: \"https://api.crm.example\\n/x\"", []string{"25:11: this text has a line break or another control character. Write it on one line, in quotes."}},
	{"text too long", "name: Acme CRM", "name: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", []string{"2:7: this text is longer than 100 characters. Shorten it."}},
	{"empty item", "[contacts.read]", "[contacts.read, \"\"]", []string{"28:34: this item is empty. Fill it or remove it."}},
	{"item twice", "[contacts.read]", "[contacts.read, contacts.read]", []string{"28:34: \"contacts.read\" stands in this list twice. Keep one of them."}},
	{"mistake without words", "    secret: true", "    secret: true\n    mistakes: [{pattern: 'tok_.+'}]", []string{"12:16: means is missing. Write what such a value is, as in: an access token.", "12:16: remedy is missing. Write what to do then, in a sentence."}},
	{"mistake without a pattern", "    secret: true", "    secret: true\n    mistakes: [{means: a token, remedy: Do.}]", []string{"12:16: pattern is missing. Write what the whole of such a value looks like."}},
	{"mistake that is no pattern", "    secret: true", "    secret: true\n    mistakes: [{pattern: '(', means: a token, remedy: Do.}]", []string{"12:26: this is not a regular expression (RE2): missing closing ): `(`."}},
	{"mistake of nothing", "    secret: true", "    secret: true\n    mistakes: [{pattern: 'x*', means: a token, remedy: Do.}]", []string{"12:26: this pattern matches the empty value, so it says nothing. Make it match what is mistaken only."}},
	{"mistake of a choice", "    default: eu", "    default: eu\n    mistakes: [{pattern: 'x', means: a token, remedy: Do.}]", []string{"15:15: only what people type as text can be mistaken. Remove the mistakes, or the kind or the options."}},
	{"bad key", "key: acme:crm", "key: acme:crm:contacts:more", []string{"1:6: the key must be a service such as intercom, or a service and its module such as google:drive. Use letters, digits, - and _."}},
	{"reserved service", "key: acme:crm", "key: Outside-In:crm", []string{"1:6: the service \"outside-in\" is taken: its callback and webhook addresses are where this program checks itself from outside. Choose another."}},
	{"name missing", "name: Acme CRM\n", "", []string{"1:1: name is missing. Write the connector as its maker writes it."}},
	{"three initials", "initial: Ac", "initial: Acm", []string{"3:10: initial must be two letters or digits: they stand on the connector's tile."}},
	{"field key", "  - key: tenant", "  - key: ten ant", []string{"18:10: a field's key begins with a letter and has letters, digits, - and _ only.", "24:13: {tenant} is neither the key of a field nor set by the options of one. Add it, or write the address out.", "31:8: {tenant} is neither the key of a field nor set by the options of one. Add it, or write the address out.", "32:26: {tenant} is neither the key of a field nor set by the options of one. Add it, or write the address out."}},
	{"field keys differ by case", "  - key: region", "  - key: CLIENTID", []string{"12:10: this key is taken: \"clientId\" differs from it at most by case. Rename one."}},
	{"unknown kind", "    label: Tenant", "    label: Tenant\n    kind: money", []string{"20:11: \"money\" is not known here. Write text, number or boolean."}},
	{"kind null", "    label: Tenant", "    label: Tenant\n    kind: 'null'", []string{"20:11: \"null\" is not known here. Write text, number or boolean."}},
	{"pattern does not compile", "'[a-z0-9]+'", "'[a-z0-9'", []string{"20:14: this is not a regular expression (RE2): missing closing ]: `[a-z0-9`."}},
	{"pattern without shape", "    shape: letters and digits\n", "", []string{"20:14: shape is missing. Say in words what the pattern demands: the person who fills the form reads it."}},
	{"shape without pattern", "    pattern: '[a-z0-9]+'\n", "", []string{"18:5: tenant stands in a host name (oauth.tokenUrl), so this field needs a pattern that limits it. Add pattern and shape, or options.", "18:5: tenant stands in a path (identity.url), so this field needs a pattern that limits it. Add pattern and shape, or options.", "18:5: tenant stands in a header or parameter (identity.headers.Crm-Version), so this field needs a pattern that limits it. Add pattern and shape, or options.", "20:12: shape explains a pattern, but there is none. Add the pattern or remove the shape."}},
	{"pattern beside options", "    label: Region", "    label: Region\n    pattern: eu\n    shape: two letters", []string{"14:14: a field with options needs no pattern: only the options are accepted. Remove one of the two."}},
	{"option value twice", "value: us,", "value: EU,", []string{"17:17: two options have the value \"EU\" (case does not count). Change one."}},
	{"option label twice", "label: America,", "label: europe,", []string{"17:28: two options have the label \"europe\". Nobody could tell them apart: change one."}},
	{"option of another kind", "    label: Region", "    label: Region\n    kind: number", []string{"15:14: the default does not fit the field. Region must be a number.", "17:17: this value is not a number, as the field's kind demands.", "18:17: this value is not a number, as the field's kind demands."}},
	{"option sets less", "\"https://us.crm.example\", zone: us", "\"https://us.crm.example\"", []string{"17:9: this option does not set zone, but the first one does. Every option sets the same variables.", "17:9: with this option, oauth.tokenUrl has no proper host name."}},
	{"option sets more", "zone: us", "zone: us, more: x", []string{"17:91: this option sets more, but the first one does not. Every option sets the same variables."}},
	{"secret with options", "    label: Region", "    label: Region\n    secret: true", []string{"15:14: a secret has no default: it would be the same everywhere. Remove it.", "17:7: a secret is not chosen from a list. Remove the options, or secret.", "24:17: {base} is a secret, and a secret does not stand in an address or header. Use another field.", "25:13: {zone} is a secret, and a secret does not stand in an address or header. Use another field.", "32:8: {base} is a secret, and a secret does not stand in an address or header. Use another field."}},
	{"default is no option", "default: eu", "default: au", []string{"14:14: the default does not fit the field. Region is none of the choices. Choose one of the list."}},
	{"default breaks pattern", "    label: Tenant", "    label: Tenant\n    default: A B", []string{"20:14: the default does not fit the field. Tenant must be letters and digits."}},
	{"default of a secret", "    label: Client secret", "    label: Client secret\n    default: hunter2", []string{"11:14: a secret has no default: it would be the same everywhere. Remove it."}},
	{"option value leaves the host", "zone: us", "zone: us/", []string{"17:81: {zone} stands in a host name, and this value has a character that may not. Allow only letters, digits, - and dots."}},
	{"option base without https", "\"https://us.crm.example\"", "\"http://us.crm.example\"", []string{"17:49: {base} begins a URL, so this must begin with https://."}},
	{"option base with user", "\"https://us.crm.example\"", "\"https://user:pw@us.crm.example\"", []string{"17:49: {base} stands as the beginning of a URL, and this value has a character that may not. Begin it with https:// and allow only letters, digits and - . _ ~ : / after that."}},
	{"option base with query", "\"https://us.crm.example\"", "\"https://us.crm.example?x\"", []string{"17:49: {base} stands as the beginning of a URL, and this value has a character that may not. Begin it with https:// and allow only letters, digits and - . _ ~ : / after that."}},
	{"option base without host", "\"https://us.crm.example\"", "\"https://\"", []string{"17:9: with this option, identity.url has no proper host name.", "17:9: with this option, oauth.authorizeUrl has no proper host name."}},
	{"variable set twice", "zone: us", "zone: us, tenant: x", []string{"17:93: this option sets tenant, but the first one does not. Every option sets the same variables."}},
	{"variable given by a field and by options", "  - key: tenant", "  - key: zone", []string{"16:80: {zone} is given twice: the field \"zone\" gives it too. Rename one.", "24:13: {tenant} is neither the key of a field nor set by the options of one. Add it, or write the address out.", "31:8: {tenant} is neither the key of a field nor set by the options of one. Add it, or write the address out.", "32:26: {tenant} is neither the key of a field nor set by the options of one. Add it, or write the address out."}},
	{"clientAuth missing", "  clientAuth: basic\n", "", []string{"23:3: clientAuth is missing. Say how the client authenticates at the token endpoint: post or basic. It is never guessed, because a guess can use up the code."}},
	{"clientAuth unknown", "clientAuth: basic", "clientAuth: auto", []string{"26:15: \"auto\" is not known here. Write post or basic."}},
	{"client id field missing", "  - key: clientId", "  - key: client_id_x", []string{"23:3: no field has the key \"clientId\", which is to hold the client id. Add it under fields, or name another with clientIdKey."}},
	{"client id is secret", "    label: Client ID", "    label: Client ID\n    secret: true", []string{"24:3: the field \"clientId\" holds the client id, which is text and no secret: it stands in the address bar."}},
	{"client secret is not secret", "    secret: true\n", "", []string{"22:3: the field \"clientSecret\" is not secret, but what stands here must be. Add secret: true to it.", "46:16: the field \"clientSecret\" is not secret, but what stands here must be. Add secret: true to it."}},
	{"redirect key is secret", "  clientAuth: basic", "  clientAuth: basic\n  redirectKey: clientSecret", []string{"27:16: redirectKey must be the key of a text that is no secret: the redirect URI."}},
	{"delimiter", "scopeDelimiter: \",\"", "scopeDelimiter: \"::\"", []string{"27:19: scopeDelimiter must be one to three of space , ; + and |, in quotes."}},
	{"delimiter in a scope", "  - label: Write contacts", "  - label: Write contacts\n  - name: a,b", []string{"41:11: this scope contains the delimiter \",\". Change scopeDelimiter."}},
	{"default scope unknown", "[contacts.read]", "[contacts.write]", []string{"28:19: no permission has the name \"contacts.write\". Add it under permissions."}},
	{"default scope without a name", "[contacts.read]", "[Write contacts]", []string{"28:19: no permission has the name \"Write contacts\". Add it under permissions."}},
	{"default scopes never sent", "  clientAuth: basic", "  clientAuth: basic\n  sendScopes: false", []string{"29:18: defaultScopes are never sent, because sendScopes is false. Remove one of the two."}},
	{"own parameter", "{audience: crm}", "{state: crm}", []string{"29:28: state is set by the program itself. Remove it."}},
	{"parameter's name", "{audience: crm}", "{au dience: crm}", []string{"29:32: \"au dience\" is not a parameter's name. Use letters, digits, - . _ and ~."}},
	{"parameter's value", "{audience: crm}", "{audience: crème}", []string{"29:31: a header or parameter value is printable ASCII. Remove other characters."}},
	{"known error without a meaning", "  clientAuth: basic", "  clientAuth: basic\n  knownErrors: [{code: x1, field: code}]", []string{"27:17: means is missing. Write what it means, in one sentence."}},
	{"known error about nothing", "  clientAuth: basic", "  clientAuth: basic\n  knownErrors: [{code: x1, field: state, means: No.}]", []string{"27:35: \"state\" is not known here. Write code, clientId, clientSecret, clientAuth or redirectUri."}},
	{"known error twice", "  clientAuth: basic", "  clientAuth: basic\n  knownErrors: [{code: x1, field: code, means: No.}, {code: X1, field: clientId, means: Yes.}]", []string{"27:61: \"X1\" is explained twice. Keep one of them."}},
	{"metadata elsewhere", "  clientAuth: basic", "  clientAuth: basic\n  metadataUrl: http://crm.example/", []string{"27:16: a URL begins with https:// or with a variable. Nothing else is called."}},
	{"token fields empty", "  clientAuth: basic", "  clientAuth: basic\n  tokenFields: []", []string{"27:16: tokenFields is empty. Name where the token stands in the answer, usually access_token."}},
	{"http", "apiUrl: https://api.crm.example", "apiUrl: http://api.crm.example", []string{"25:11: a URL begins with https:// or with a variable. Nothing else is called."}},
	{"no scheme", "apiUrl: https://api.crm.example", "apiUrl: api.crm.example", []string{"25:11: a URL begins with https:// or with a variable. Nothing else is called."}},
	{"fragment", "apiUrl: https://api.crm.example", "apiUrl: \"https://api.crm.example/#x\"", []string{"25:11: a URL here has no fragment. Remove # and what follows."}},
	{"user info", "apiUrl: https://api.crm.example", "apiUrl: \"https://me@api.crm.example\"", []string{"25:11: a URL here has no user name or password. Remove what stands before @, and @."}},
	{"space in a URL", "apiUrl: https://api.crm.example", "apiUrl: \"https://api.crm.example/a b\"", []string{"25:11: a URL has printable ASCII without spaces, quotes and backslashes. Percent-encode other characters."}},
	{"empty label in a host", "apiUrl: https://api.crm.example", "apiUrl: \"https://api..example\"", []string{"25:11: this address has no proper host name."}},
	{"climbing path", "apiUrl: https://api.crm.example", "apiUrl: \"https://api.crm.example/a/../b\"", []string{"25:11: this address has a path that climbs with dots."}},
	{"port", "apiUrl: https://api.crm.example", "apiUrl: \"https://api.crm.example:70000\"", []string{"25:11: this address has no proper host name."}},
	{"brace alone", "apiUrl: https://api.crm.example", "apiUrl: \"https://api.crm.example/{\"", []string{"25:11: a brace stands alone. Write a variable as {name}."}},
	{"variable's name", "apiUrl: https://api.crm.example", "apiUrl: \"https://api.crm.example/{a b}\"", []string{"25:11: {a b} is not a variable's name. Use letters, digits, - and _, with a letter first."}},
	{"variable unknown", "apiUrl: https://api.crm.example", "apiUrl: \"https://api.crm.example/{shop}\"", []string{"25:11: {shop} is neither the key of a field nor set by the options of one. Add it, or write the address out."}},
	{"something after a base", "apiUrl: https://api.crm.example", "apiUrl: \"{base}.evil.example\"", []string{"25:11: after {base} at the beginning comes / or nothing."}},
	{"variable unused", "{tenant}.{zone}.crm", "{tenant}.crm", []string{"16:80: nothing uses {zone}. Use it in a URL, or remove it from every option."}},
	{"token URL missing", "  tokenUrl: \"https://{tenant}.{zone}.crm.example/token\"\n", "", []string{"16:80: nothing uses {zone}. Use it in a URL, or remove it from every option.", "23:3: tokenUrl is missing. Write the address from https:// on."}},
	{"authorize URL missing", "  authorizeUrl: \"{base}/authorize\"\n", "", []string{"23:3: authorizeUrl is missing. Write the address from https:// on."}},
	{"secret in a URL", "apiUrl: https://api.crm.example", "apiUrl: \"https://api.crm.example/{clientSecret}\"", []string{"25:11: {clientSecret} is a secret, and a secret does not stand in an address or header. Use another field."}},
	{"field in a URL without pattern", "apiUrl: https://api.crm.example", "apiUrl: \"https://api.crm.example/{clientId}\"", []string{"6:5: clientId stands in a path (oauth.apiUrl), so this field needs a pattern that limits it. Add pattern and shape, or options."}},
	{"pattern with a slash in a host", "'[a-z0-9]+'", "'[a-z0-9/]+'", []string{"20:14: tenant stands in a host name (oauth.tokenUrl), and this pattern lets more through than may stand there. Allow only letters, digits, - and dots.", "20:14: tenant stands in a path (identity.url), and this pattern lets more through than may stand there. Allow only letters, digits and - . _ ~."}},
	{"pattern with anything", "'[a-z0-9]+'", "'.+'", []string{"20:14: tenant stands in a host name (oauth.tokenUrl), and this pattern lets more through than may stand there. Allow only letters, digits, - and dots.", "20:14: tenant stands in a path (identity.url), and this pattern lets more through than may stand there. Allow only letters, digits and - . _ ~.", "20:14: tenant stands in a header or parameter (identity.headers.Crm-Version), and this pattern lets more through than may stand there. Allow only printable ASCII."}},
	{"pattern with a negated class", "'[a-z0-9]+'", "'[^/]+'", []string{"20:14: tenant stands in a host name (oauth.tokenUrl), and this pattern lets more through than may stand there. Allow only letters, digits, - and dots.", "20:14: tenant stands in a path (identity.url), and this pattern lets more through than may stand there. Allow only letters, digits and - . _ ~.", "20:14: tenant stands in a header or parameter (identity.headers.Crm-Version), and this pattern lets more through than may stand there. Allow only printable ASCII."}},
	{"pattern that folds beyond ASCII", "'[a-z0-9]+'", "'(?i)k+'", []string{"20:14: tenant stands in a host name (oauth.tokenUrl), and this pattern lets more through than may stand there. Allow only letters, digits, - and dots.", "20:14: tenant stands in a path (identity.url), and this pattern lets more through than may stand there. Allow only letters, digits and - . _ ~.", "20:14: tenant stands in a header or parameter (identity.headers.Crm-Version), and this pattern lets more through than may stand there. Allow only printable ASCII."}},
	{"field as base without https", "apiUrl: https://api.crm.example", "apiUrl: \"{tenant}/api\"", []string{"20:14: tenant stands as the beginning of a URL (oauth.apiUrl), and this pattern lets more through than may stand there. Begin it with https:// and allow only letters, digits and - . _ ~ : / after that."}},
	{"identity permission", "  permission: contacts.read", "  permission: contacts.write", []string{"33:15: no permission is called \"contacts.write\". Write a permission's name, or its label if it has no name."}},
	{"identity permission by alias", "  permission: contacts.read", "  permission: rc", []string{"33:15: no permission is called \"rc\". Write a permission's name, or its label if it has no name."}},
	{"fact path", "path: account.name", "path: account..name", []string{"35:30: a path is member names with dots between them, such as app.region."}},
	{"fact label twice", "    - {label: Account, path: account.name}", "    - {label: Account, path: account.name}\n    - {label: Account, path: id}", []string{"36:15: two facts have the label \"Account\". Change one."}},
	{"own header", "{Crm-Version:", "{authorization:", []string{"32:28: authorization is set by the program itself. Remove it."}},
	{"header's name", "{Crm-Version:", "{Crm Version:", []string{"32:26: \"Crm Version\" is not a header's name. Use letters, digits and -."}},
	{"header twice", "{Crm-Version: \"{tenant}\"}", "{Crm-Version: \"{tenant}\", crm-version: x}", []string{"32:51: this header stands here twice: case does not count. Keep one."}},
	{"scope with a space", "  - name: contacts.read", "  - name: contacts read", []string{"28:19: no permission has the name \"contacts.read\". Add it under permissions.", "33:15: no permission is called \"contacts.read\". Write a permission's name, or its label if it has no name.", "37:11: a scope's name has no spaces, quotes, backslashes or characters beyond ASCII (RFC 6749 section 3.3)."}},
	{"alias of two permissions", "  - label: Write contacts", "  - label: Write contacts\n    aliases: [RC]", []string{"40:5: \"RC\" already leads to the permission \"contacts.read\". A name, label or alias leads to one permission only."}},
	{"permission without words", "  - label: Write contacts", "  - meaning: Write contacts", []string{"40:5: label is missing. Write the label that the provider shows, or a name.", "43:13: no permission is called \"Write contacts\". Write a permission's name, or its label if it has no name."}},
	{"topic twice", "  - name: contact.made", "  - name: Contact.made\n  - name: contact.made", []string{"43:11: two topics are called \"contact.made\". Keep one."}},
	{"topic needs unknown", "needs: [Write contacts]", "needs: [Delete contacts]", []string{"43:13: no permission is called \"Delete contacts\". Write a permission's name, or its label if it has no name."}},
	{"signature header", "header: X-Sign,", "header: \"X Sign\",", []string{"46:16: header must be the name of the header that carries the signature."}},
	{"signature algorithm", "algorithm: sha256", "algorithm: md5", []string{"46:35: algorithm must be sha1, sha256 or sha512: HMAC over the raw body."}},
	{"signature encoding", "encoding: hex", "encoding: base32", []string{"46:53: encoding must be hex or base64."}},
	{"signing secret unknown", "secretKeys: [clientSecret]", "secretKeys: [webhookSecret]", []string{"47:16: no field has the key \"webhookSecret\". Add it under fields, or name another."}},
	{"signing secret not secret", "secretKeys: [clientSecret]", "secretKeys: [clientId]", []string{"47:16: the field \"clientId\" is not secret, but what stands here must be. Add secret: true to it."}},
	{"signing secret missing", "  secretKeys: [clientSecret]\n", "", []string{"45:3: secretKeys is missing. Name the field that holds the signing secret."}},
	{"signature prefix", "encoding: hex}", "encoding: hex, prefix: \"v 0=\"}", []string{"46:66: prefix is printable ASCII without spaces, and without commas in a list."}},
	{"signature item", "encoding: hex}", "encoding: hex, item: \"v 1\"}", []string{"46:64: item must be the name before the = in the header's list, such as v1."}},
	{"signed without the body", "encoding: hex}", "encoding: hex, signed: x}", []string{"46:66: signed must have {body} in it: a signature that does not cover the body proves nothing."}},
	{"signed has another name", "encoding: hex}", "encoding: hex, signed: \"{id}.{body}\"}", []string{"46:66: signed has {body} and {timestamp} in it, and no other names. Write the rest out."}},
	{"signed has a brace", "encoding: hex}", "encoding: hex, signed: \"{body\"}", []string{"46:66: a brace stands alone. Write {body} and {timestamp}."}},
	{"signed time without a place", "encoding: hex}", "encoding: hex, signed: \"{timestamp}.{body}\"}", []string{"46:66: {timestamp} is signed, but nothing says where it stands. Add timestamp."}},
	{"time that is not signed", "encoding: hex}", "encoding: hex, timestamp: {header: X-Time, tolerance: 5m}}", []string{"46:7: there is a timestamp that is not signed, so anybody could change it. Put {timestamp} into signed, or remove timestamp."}},
	{"time without a place", "encoding: hex}", "encoding: hex, signed: \"{timestamp}.{body}\", timestamp: {tolerance: 5m}}", []string{"46:99: the time stands in a header of its own or in an item of the signature's header. Name one of the two: header or item."}},
	{"time in two places", "encoding: hex}", "encoding: hex, item: v1, signed: \"{timestamp}.{body}\", timestamp: {header: X-Time, item: t, tolerance: 5m}}", []string{"46:109: the time stands in a header of its own or in an item of the signature's header. Name one of the two: header or item."}},
	{"time's header", "encoding: hex}", "encoding: hex, signed: \"{timestamp}.{body}\", timestamp: {header: X Time, tolerance: 5m}}", []string{"46:108: header must be the name of the header that carries the time."}},
	{"time's item", "encoding: hex}", "encoding: hex, item: v1, signed: \"{timestamp}.{body}\", timestamp: {item: \"t \", tolerance: 5m}}", []string{"46:116: item must be the name before the = in the header's list, such as t."}},
	{"time in a list without a signature in it", "encoding: hex}", "encoding: hex, signed: \"{timestamp}.{body}\", timestamp: {item: t, tolerance: 5m}}", []string{"46:106: the time is in a list, so the signature is too. Name its item."}},
	{"time and signature in one item", "encoding: hex}", "encoding: hex, item: t, signed: \"{timestamp}.{body}\", timestamp: {item: t, tolerance: 5m}}", []string{"46:115: the time and the signature have the same item. Name the time's own."}},
	{"time without tolerance", "encoding: hex}", "encoding: hex, signed: \"{timestamp}.{body}\", timestamp: {header: X-Time}}", []string{"46:99: tolerance must be from 1s to 24h: how far from now the time may be."}},
	{"tolerance too short", "encoding: hex}", "encoding: hex, signed: \"{timestamp}.{body}\", timestamp: {header: X-Time, tolerance: 900ms}}", []string{"46:127: tolerance must be from 1s to 24h: how far from now the time may be."}},
	{"tolerance too long", "encoding: hex}", "encoding: hex, signed: \"{timestamp}.{body}\", timestamp: {header: X-Time, tolerance: 25h}}", []string{"46:127: tolerance must be a length of time up to a day, such as 5s or 10m."}},
	{"refusal that is none", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  refuse: 200", []string{"48:11: refuse must be a status from 400 to 499: what a notification is answered that no known secret signed."}},
	{"refusal in quotes", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  refuse: \"403\"", []string{"48:11: refuse must be a whole number, without quotes."}},
	{"answer without a unit", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  answerWithin: \"5\"", []string{"48:17: answerWithin must be a length of time up to a day, such as 5s or 10m."}},
	{"slow after the end", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  answerWithin: 5s\n  slowAfter: 5s", []string{"49:14: slowAfter must be shorter than answerWithin: later than that the answer does not count at all."}},
	{"path of a fact", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  reads: {id: data..id}", []string{"48:15: id is read from the body, by member names with dots between them such as data.item.type, or from a header, as \"header X-Event\"."}},
	{"header of a fact", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  reads: {topic: header X Event}", []string{"48:18: topic is read from the body"}},
	{"source without a label", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  sources: [{addresses: [192.0.2.1]}]", []string{"48:13: label is missing. Write whose addresses they are, such as a region."}},
	{"source without addresses", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  sources: [{label: EU}]", []string{"48:13: addresses is missing. Name the addresses or networks that the provider sends from."}},
	{"source is a name", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  sources: [{label: EU, addresses: [hooks.crm.example]}]", []string{"48:37: \"hooks.crm.example\" is neither an IP address nor a network such as 192.0.2.0/24."}},
	{"source is a network with an address", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  sources: [{label: EU, addresses: [192.0.2.7/24]}]", []string{"48:37: this network has an address of its own set. Write 192.0.2.0/24."}},
	{"sample without topics", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  samples: [{body: '{}'}]", []string{"48:13: topics is missing. Name the topics that the sample is for, or \"*\" for all."}},
	{"sample without a body", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  samples: [{topics: [contact.made]}]", []string{"48:13: body is missing. Write the JSON of a notification."}},
	{"sample of an unknown topic", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  samples: [{topics: [contact.gone], body: '{}'}]", []string{"48:23: no topic is called \"contact.gone\". Add it under topics, or name another; a name that ends in * stands for all that begin so."}},
	{"sample of a beginning of none", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  samples: [{topics: ['deal.*'], body: '{}'}]", []string{"48:23: no topic is called \"deal.*\"."}},
	{"sample with an unknown placeholder", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  samples: [{topics: ['*'], body: '{\"a\":\"{name}\"}'}]", []string{"48:35: {name} is not replaced. Use {id}, {topic}, {now} and {account}."}},
	{"sample that is no JSON", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  samples: [{topics: ['contact.*'], body: '{\"a\":{id}}'}]", []string{"48:43: this is not JSON once {id}, {topic}, {now} and {account} are replaced. {now} is a number; the others stand in quotes."}},
	{"sample with an unknown header", "secretKeys: [clientSecret]", "secretKeys: [clientSecret]\n  samples: [{topics: ['*'], body: '{}', header: X-Other}]", []string{"48:49: no signature stands in the header \"X-Other\". Name the header of one."}},
	{"sample that nothing signs", "  signatures:\n    - {header: X-Sign, algorithm: sha256, encoding: hex}\n  secretKeys: [clientSecret]", "  samples: [{topics: ['*'], body: '{}'}]", []string{"45:13: there are no signatures, so a sample could not be signed. Add signatures, or remove the sample."}},
	{"alias of an unknown topic", "topics: [contact.made]", "topics: [contact.gone]", []string{"49:41: no topic is called \"contact.gone\". Add it under topics, or name another."}},
	{"alias is a topic", "alias: contact.created", "alias: contact.made", []string{"49:15: \"contact.made\" is a topic itself, so it needs no alias. Remove one of the two."}},
	{"alias without topics", ", topics: [contact.made]", "", []string{"49:7: topics is missing. Name the topics that the alias stands for."}},
	{"no rate limit header", "{limit: X-Limit}", "{note: Be gentle.}", []string{"50:12: no header is named. Name one, or remove rateLimit."}},
	{"rate limit header", "{limit: X-Limit}", "{limit: X Limit}", []string{"50:20: \"X Limit\" is not a header's name."}},
	{"link without https", "\"https://crm.example/\"", "\"http://crm.example/\"", []string{"52:27: a URL begins with https:// or with a variable. Nothing else is called."}},
	{"link with a variable", "\"https://crm.example/\"", "\"https://crm.example/{tenant}\"", []string{"52:27: a link has no variables. Write the whole address."}},
	{"link without use", ", for: console", "", []string{"52:5: for is missing. Say what the page is good for: console, docs or review."}},
	{"link use", "for: console", "for: fun", []string{"52:56: \"fun\" is not known here. Write console, docs or review."}},
}

func TestParse_broken(t *testing.T) {
	for _, c := range broken {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(sound, c.old) != 1 {
				t.Fatalf("%q does not stand in the sound definition exactly once", c.old)
			}
			_, err := Parse("x", []byte(strings.Replace(sound, c.old, c.new, 1)))
			var faults Faults
			if !errors.As(err, &faults) {
				t.Fatalf("got %v, want faults", err)
			}
			if len(faults) != len(c.want) {
				t.Fatalf("got %d faults, want %d:\n%v", len(faults), len(c.want), err)
			}
			for i, f := range faults {
				place, words, _ := strings.Cut(c.want[i], " ")
				if got := f.String(); !strings.HasPrefix(got, "x:"+place+" ") || !strings.Contains(f.Msg, words) {
					t.Errorf("got  %s\nwant x:%s … %s …", got, place, words)
				}
				if !strings.HasSuffix(f.Msg, ".") {
					t.Errorf("%q is no whole sentence", f.Msg)
				}
			}
		})
	}
}
