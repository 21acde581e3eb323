package lookup

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// object is a JSON object in the order of its members; those without a value are left out.
type object []member

type member struct {
	key   string
	value json.RawMessage
}

// json is the object, nil when it has no member.
func (o object) json() json.RawMessage {
	var dst []byte
	for _, m := range o {
		if len(m.value) == 0 || string(m.value) == "null" {
			continue
		}
		dst = append(dst, ',')
		dst = append(append(dst, quoted(m.key)...), ':')
		dst = append(dst, m.value...)
	}
	if dst == nil {
		return nil
	}
	dst[0] = '{'
	return append(dst, '}')
}

// record is the record that a document was made of: as it was kept, else put together from the fields, with which members
// that no field has, their order, and how times were written, are lost.
func (d *document) record() (text []byte, derived bool) {
	if original := []byte(d.Event.Original); len(original) > 0 {
		var r cloudtrail.Record
		if r.Parse(original) == nil {
			return []byte(d.Event.Original), false // parsing may write to what it reads
		}
	}
	t := &d.AWS.CloudTrail
	o := object{
		{"eventVersion", t.EventVersion},
		{"userIdentity", d.identity()},
		{"eventTime", moment(d.Timestamp)},
		{"eventSource", d.Event.Provider},
		{"eventName", d.Event.Action},
		{"awsRegion", d.Cloud.Region},
		{"sourceIPAddress", d.Source.Address},
		{"userAgent", d.UserAgent.Original},
		{"errorCode", t.ErrorCode},
		{"errorMessage", t.ErrorMessage},
		{"requestParameters", firstOf(t.Flattened.RequestParameters, t.RequestParameters)},
		{"responseElements", d.response()},
		{"additionalEventData", d.details()},
		{"requestID", t.RequestID},
		{"eventID", d.Event.ID},
		{"readOnly", t.ReadOnly},
		{"resources", resources(t.Resources)},
		{"eventType", t.EventType},
		{"apiVersion", t.APIVersion},
		{"managementEvent", unquoted(t.ManagementEvent)},
		{"recipientAccountId", t.RecipientAccountID},
		{"sharedEventID", t.SharedEventID},
		{"vpcEndpointId", t.VPCEndpointID},
		{"vpcEndpointAccountId", t.VPCEndpointAccountID},
		{"eventCategory", t.EventCategory},
		{"serviceEventDetails", firstOf(t.Flattened.ServiceEventDetails, t.ServiceEventDetails)},
		{"sessionCredentialFromConsole", t.FromConsole},
		{"addendum", d.addendum()},
		{"tlsDetails", d.tlsDetails()},
		{"insightDetails", t.Flattened.InsightDetails},
		{"eventContext", t.EventContext},
	}
	for _, key := range slices.Sorted(maps.Keys(t.Flattened.Other)) {
		if !slices.ContainsFunc(o, func(m member) bool { return m.key == key && len(m.value) > 0 }) {
			o = append(o, member{key, t.Flattened.Other[key]})
		}
	}
	if text = o.json(); text == nil {
		return []byte("{}"), true
	}
	return text, true
}

// identity is userIdentity. Source: what pipeline/ecs makes of it.
func (d *document) identity() json.RawMessage {
	t := &d.AWS.CloudTrail.Identity
	kind := plain(t.Type)
	principal, name := d.User.ID, d.User.Name
	if kind == "IdentityCenterUser" && string(principal) == string(t.OnBehalfOf.UserID) {
		principal = nil
	}
	var issuerName, account json.RawMessage
	if (kind == "AssumedRole" || kind == "FederatedUser") && len(t.Session.Issuer.ARN) > 0 {
		issuerName, name = name, nil
	}
	if plain(d.Event.Action) == userAuthentication {
		name = nil // it came from elsewhere
	}
	if kind != "" && kind != "AWSService" { // else it is most likely the recipient
		account = d.Cloud.Account.ID
	}
	return object{
		{"type", t.Type},
		{"principalId", principal},
		{"arn", t.ARN},
		{"accountId", account},
		{"accessKeyId", t.AccessKeyID},
		{"userName", name},
		{"sessionContext", t.session(issuerName)},
		{"invokedBy", t.InvokedBy},
		{"invokedByDelegate", object{{"accountId", t.Delegate.AccountID}}.json()},
		{"credentialId", t.CredentialID},
		{"identityProvider", t.IdentityProvider},
		{"inScopeOf", object{
			{"issuerType", t.InScopeOf.IssuerType},
			{"credentialsIssuedTo", t.InScopeOf.CredentialsIssuedTo},
			{"sourceArn", t.InScopeOf.SourceARN},
			{"sourceAccount", t.InScopeOf.SourceAccount},
		}.json()},
		{"onBehalfOf", object{{"userId", t.OnBehalfOf.UserID}, {"identityStoreArn", t.OnBehalfOf.IdentityStoreARN}}.json()},
	}.json()
}

// session is sessionContext.
func (t *identity) session(issuerName json.RawMessage) json.RawMessage {
	s := &t.Session
	return object{
		{"sessionIssuer", object{
			{"type", s.Issuer.Type},
			{"principalId", s.Issuer.PrincipalID},
			{"arn", s.Issuer.ARN},
			{"accountId", s.Issuer.AccountID},
			{"userName", issuerName},
		}.json()},
		{"webIdFederationData", object{{"federatedProvider", s.WebID.Provider}, {"attributes", s.WebID.Attributes}}.json()},
		{"attributes", object{{"creationDate", moment(s.CreationDate)}, {"mfaAuthenticated", s.MFA}}.json()},
		{"ec2RoleDelivery", s.EC2RoleDelivery},
		{"sourceIdentity", s.SourceIdentity},
		{"assumedRoot", s.AssumedRoot},
		{"signInSessionArn", s.SignInSession},
	}.json()
}

const (
	consoleLogin       = "ConsoleLogin"
	userAuthentication = "UserAuthentication"
)

// response is responseElements. Of a login without them the outcome says what they were.
func (d *document) response() json.RawMessage {
	t := &d.AWS.CloudTrail
	if found := firstOf(t.Flattened.ResponseElements, t.ResponseElements); len(found) > 0 || plain(d.Event.Action) != consoleLogin {
		return found
	}
	login := "Success"
	if plain(d.Event.Outcome) != "success" {
		login = "Failure"
	}
	return object{{consoleLogin, quoted(login)}}.json()
}

// details is additionalEventData. The name of who authenticates is not kept there.
func (d *document) details() json.RawMessage {
	t := &d.AWS.CloudTrail
	found := firstOf(t.Flattened.AdditionalEventData, t.AdditionalEventData)
	switch plain(d.Event.Action) {
	case consoleLogin:
		c := &t.ConsoleLogin.Details
		if len(found) == 0 {
			return object{{"LoginTo", c.LoginTo}, {"MobileVersion", yes(c.MobileVersion)}, {"MFAUsed", yes(c.MFAUsed)}}.json()
		}
	case userAuthentication:
		members := map[string]json.RawMessage{}
		if len(found) > 0 && json.Unmarshal(found, &members) != nil {
			return found
		}
		if _, there := members["UserName"]; there || len(d.User.Name) == 0 {
			return found
		}
		o := object{{"UserName", d.User.Name}}
		for _, key := range slices.Sorted(maps.Keys(members)) {
			o = append(o, member{key, members[key]})
		}
		return o.json()
	}
	return found
}

// yes is how a console login writes a truth.
func yes(b *bool) json.RawMessage {
	switch {
	case b == nil:
		return nil
	case *b:
		return quoted("Yes")
	}
	return quoted("No")
}

func (d *document) addendum() json.RawMessage {
	a := &d.AWS.CloudTrail.Addendum
	return object{
		{"reason", a.Reason},
		{"updatedFields", a.UpdatedFields},
		{"originalRequestID", a.OriginalRequestID},
		{"originalEventID", a.OriginalEventID},
	}.json()
}

func (d *document) tlsDetails() json.RawMessage {
	version := plain(d.TLS.Version)
	if version != "" {
		version = strings.ToUpper(plain(d.TLS.Protocol)) + "v" + version
	}
	return object{
		{"tlsVersion", quoted(version)},
		{"cipherSuite", d.TLS.Cipher},
		{"clientProvidedHostHeader", d.TLS.Client.ServerName},
		{"keyExchange", d.AWS.CloudTrail.TLSDetails.KeyExchange},
	}.json()
}

// resources gives the members of a record's resources their names back.
func resources(raw json.RawMessage) json.RawMessage {
	var list []map[string]json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	elements := make([]json.RawMessage, 0, len(list))
	for _, x := range list {
		o := object{{"ARN", x["arn"]}, {"accountId", x["account_id"]}, {"type", x["type"]}}
		for _, key := range slices.Sorted(maps.Keys(x)) {
			if key != "arn" && key != "account_id" && key != "type" {
				o = append(o, member{key, x[key]})
			}
		}
		if element := o.json(); element != nil {
			elements = append(elements, element)
		}
	}
	if len(elements) == 0 {
		return nil
	}
	text, err := json.Marshal(elements)
	if err != nil {
		return nil
	}
	return text
}

// moment writes a document's time as CloudTrail does, without a fraction of a second that is zero.
func moment(raw json.RawMessage) json.RawMessage {
	text := plain(raw)
	at, ok := cloudtrail.ParseTime([]byte(text))
	if !ok {
		return quoted(text)
	}
	return quoted(at.UTC().Format(time.RFC3339Nano))
}

// unquoted is a boolean that a document has as a text.
func unquoted(raw json.RawMessage) json.RawMessage {
	if b, err := strconv.ParseBool(plain(raw)); err == nil {
		return json.RawMessage(strconv.FormatBool(b))
	}
	return raw
}

func firstOf(a, b json.RawMessage) json.RawMessage {
	if len(a) > 0 {
		return a
	}
	return b
}
