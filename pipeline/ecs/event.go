package ecs

import (
	"bytes"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// putEvent appends the document's beginning and the event object.
func (e *Encoder) putEvent(dst []byte) []byte {
	r := e.rec
	dst = append(dst, e.head...)
	if e.broken() {
		dst = append(dst, `"kind":"pipeline_error",`...)
	} else {
		dst = append(dst, `"kind":"event",`...)
	}
	dst = append(dst, e.call.event...)
	dst = e.putOutcome(dst)
	dst = e.put(dst, `"id":`, r.Field(cloudtrail.EventID))
	if e.keepsOriginal() {
		dst = append(dst, `"original":`...)
		dst = appendQuoted(dst, r.Raw)
		dst = append(dst, ',')
	}
	dst[len(dst)-1] = '}'
	return append(dst, ',')
}

// broken reports whether the document does not hold all that it should.
func (e *Encoder) broken() bool { return e.degraded || len(e.errors) > 0 }

// keepsOriginal: the text of a record that could not be mapped as it should always stays.
func (e *Encoder) keepsOriginal() bool { return e.cfg.KeepOriginal || e.broken() }

// putOutcome appends event.outcome. Source: MAPPING section 6.
func (e *Encoder) putOutcome(dst []byte) []byte {
	r := e.rec
	if e.call.special == consoleLogin {
		mark := len(dst)
		if dst = putText(dst, `"outcome":`, itemOf(e.params.consoleLogin)); len(dst) > mark {
			lower(dst[mark:])
			return dst
		}
	}
	if r.Field(cloudtrail.ErrorCode).Exists() || r.Field(cloudtrail.ErrorMessage).Exists() {
		return append(dst, `"outcome":"failure",`...)
	}
	return append(dst, `"outcome":"success",`...)
}

// lower makes ASCII letters small. JSON's escapes mean the same afterwards.
func lower(text []byte) {
	for i, c := range text {
		if c >= 'A' && c <= 'Z' {
			text[i] = c + 'a' - 'A'
		}
	}
}

func (e *Encoder) putTags(dst []byte) []byte {
	dst = append(dst, `"tags":["forwarded","aws-cloudtrail",`...)
	if e.keepsOriginal() {
		dst = append(dst, `"preserve_original_event",`...)
	}
	recipient := e.rec.Field(cloudtrail.RecipientAccountID)
	if account := e.object.Account; account != "" && recipient.Exists() && string(recipient.Bytes()) != account {
		dst = append(dst, `"_account_mismatch",`...)
	}
	dst = append(dst, e.tags...)
	dst = append(dst, e.fragments.Tags...)
	dst[len(dst)-1] = ']'
	return append(dst, ',')
}

func (e *Encoder) putErrors(dst []byte) []byte {
	if !e.broken() {
		return dst
	}
	dst = append(dst, `"error":{"message":[`...)
	for _, what := range e.errors {
		dst = append(appendQuoted(dst, []byte(what)), ',')
	}
	if e.degraded {
		dst = append(appendQuoted(dst, []byte(e.why)), ',')
	}
	dst[len(dst)-1] = ']'
	return append(dst, "},"...)
}

func (e *Encoder) putCloud(dst []byte) []byte {
	dst = append(dst, `"cloud":{"provider":"aws",`...)
	dst = e.put(dst, `"region":`, e.rec.Field(cloudtrail.AWSRegion))
	mark := len(dst)
	dst = append(dst, `"account":{`...)
	dst = e.put(dst, `"id":`, e.account)
	dst = append(dst, e.fragments.CloudAccount...)
	dst = end(dst, mark, '}')
	dst = append(dst, e.call.cloud...)
	dst[len(dst)-1] = '}'
	return append(dst, ',')
}

func (e *Encoder) putSource(dst []byte) []byte {
	v := e.rec.Field(cloudtrail.SourceIPAddress)
	if !v.Exists() {
		return dst
	}
	dst = append(dst, `"source":{`...)
	dst = e.put(dst, `"address":`, v)
	if e.sourceIsIP {
		dst = putText(dst, `"ip":`, e.source)
	}
	dst = append(dst, e.fragments.Source...)
	dst[len(dst)-1] = '}'
	return append(dst, ',')
}

// putUserAgent appends user_agent: the text, and what the AWS CLI calls itself, which rules ask for.
func (e *Encoder) putUserAgent(dst []byte) []byte {
	v := e.rec.Field(cloudtrail.UserAgent)
	if !v.Exists() {
		return dst
	}
	dst = append(dst, `"user_agent":{`...)
	dst = e.put(dst, `"original":`, v)
	text := bytes.TrimPrefix(v.Text(), []byte("["))
	if found := e.fragments.UserAgent; len(found) > 0 {
		dst = append(dst, found...)
	} else if rest, ok := bytes.CutPrefix(text, []byte("aws-cli/")); ok {
		dst = putWord(dst, `"name":`, "aws-cli")
		dst = putText(dst, `"version":`, item{text: versionOf(rest), plain: true})
	}
	dst[len(dst)-1] = '}'
	return append(dst, ',')
}

// versionOf is the version that text begins with: 2.17.60.
func versionOf(text []byte) []byte {
	n := 0
	for n < len(text) && (text[n] == '.' || text[n] >= '0' && text[n] <= '9') {
		n++
	}
	return bytes.TrimRight(text[:n], ".")
}

func (e *Encoder) putGroup(dst []byte) []byte {
	if !e.params.groupName.Exists() && !e.params.groupID.Exists() { // nearly always
		return dst
	}
	mark := len(dst)
	dst = append(dst, `"group":{`...)
	dst = e.put(dst, `"name":`, e.params.groupName)
	dst = e.put(dst, `"id":`, e.params.groupID)
	return end(dst, mark, '}')
}

// tls is a record's tlsDetails. Source: MAPPING section 9.
type tls struct {
	protocol, version         item
	cipher, host, keyExchange cloudtrail.Value
}

func (e *Encoder) readTLS() {
	e.tls = tls{}
	v := e.rec.Field(cloudtrail.TLSDetails)
	if v.Kind() != cloudtrail.KindObject {
		return
	}
	t := &e.tls
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "tlsVersion":
			t.version = itemOf(m)
		case "cipherSuite":
			t.cipher = m
		case "clientProvidedHostHeader":
			t.host = m
		case "keyExchange":
			t.keyExchange = m
		}
	}
	if string(t.version.text) == "tlsVersion" { // CloudTrail wrote its members' names in place of their values
		e.tls = tls{}
		return
	}
	if before, after, ok := bytes.Cut(t.version.text, []byte("v")); ok {
		t.protocol = item{text: before, plain: t.version.plain}
		t.version.text = after
	}
}

func (e *Encoder) putTLS(dst []byte) []byte {
	if e.rec.Field(cloudtrail.TLSDetails).Kind() != cloudtrail.KindObject {
		return dst
	}
	t := &e.tls
	mark := len(dst)
	dst = append(dst, `"tls":{`...)
	dst = putText(dst, `"version":`, t.version)
	if string(t.protocol.text) == "TLS" { // always, so far
		dst = putWord(dst, `"version_protocol":`, "tls")
	} else {
		start := len(dst)
		dst = putText(dst, `"version_protocol":`, t.protocol)
		lower(dst[start:]) // the key is small anyway
	}
	dst = e.put(dst, `"cipher":`, t.cipher)
	dst = e.putOnly(dst, `"client":{"server_name":`, t.host)
	return end(dst, mark, '}')
}
