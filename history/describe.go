package history

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// A Description is an Event and what it is found by besides.
type Description struct {
	Event
	Actors []string // every name of who did it: what the attribute User matches
	Names  []string // every name of a resource: the listed ones, last parts of ARNs, and what else the record refers to
}

// Describe reads what is shown of a record and what it is found by. Record and Tags are left empty; the ID is empty when
// the record has none. Nothing of the result is a part of the record's memory.
func Describe(r *cloudtrail.Record) Description {
	var d Description
	d.Time, _ = r.Time()
	d.ID = text(r.Field(cloudtrail.EventID))
	d.RequestID = text(r.Field(cloudtrail.RequestID))
	d.Name = text(r.Field(cloudtrail.EventName))
	d.SharedID = text(r.Field(cloudtrail.SharedEventID))
	d.Type = text(r.Field(cloudtrail.EventType))
	d.Category = text(r.Field(cloudtrail.EventCategory))
	d.Source = text(r.Field(cloudtrail.EventSource))
	d.Region = text(r.Field(cloudtrail.AWSRegion))
	d.SourceIP = text(r.Field(cloudtrail.SourceIPAddress))
	d.UserAgent = text(r.Field(cloudtrail.UserAgent))
	d.ReadOnly = isTrue(r.Field(cloudtrail.ReadOnly))
	d.readIdentity(r)
	d.readOutcome(r)
	d.readMarks(r)
	d.readMFA(r)
	d.readTraits(r)
	d.readIssued(r)
	d.Resources, d.Names = readResources(r)
	return d
}

// text is a string or number of the record as a string of its own, empty for anything else.
func text(v cloudtrail.Value) string {
	switch v.Kind() {
	case cloudtrail.KindString, cloudtrail.KindNumber:
		return string(v.Bytes())
	}
	return ""
}

// isTrue takes the word as well as the boolean: both were seen.
func isTrue(v cloudtrail.Value) bool {
	return v.Kind() == cloudtrail.KindTrue || strings.EqualFold(text(v), "true")
}

// readIdentity finds who did it. Source: AWS CloudTrail User Guide, "CloudTrail userIdentity element"; the user's name is
// that of AWS's LookupEvents.
func (d *Description) readIdentity(r *cloudtrail.Record) {
	who := r.Field(cloudtrail.UserIdentity)
	context := who.Get("sessionContext")
	issuer := context.Get("sessionIssuer")
	name, arn, principal := text(who.Get("userName")), text(who.Get("arn")), text(who.Get("principalId"))
	d.Identity = text(who.Get("type"))
	d.ARN, d.RoleARN = arn, text(issuer.Get("arn"))
	d.AccessKey = text(who.Get("accessKeyId"))
	d.InvokedBy = text(who.Get("invokedBy"))
	d.Account = firstOf(text(r.Field(cloudtrail.RecipientAccountID)), text(who.Get("accountId")), text(r.Field(cloudtrail.AccountID)))
	session := ""
	switch d.Identity {
	case "AssumedRole":
		d.Role = text(issuer.Get("userName"))
		session = sessionName(arn, principal)
		d.User = firstOf(session, name, d.Role)
	case "FederatedUser":
		session = sessionName(arn, principal)
		d.User = firstOf(session, name, text(issuer.Get("userName")))
	case "Root":
		d.User = "root"
	case "AWSService":
		d.User = firstOf(d.InvokedBy, name)
	case "Role":
		d.Role = firstOf(name, lastPart(arn))
		d.User = d.Role
	case "AWSAccount":
		d.User = firstOf(name, principal, text(who.Get("accountId")))
	default:
		d.User = firstOf(name, sessionName(arn, ""), lastPart(arn))
	}
	onBehalfOf := text(who.Get("onBehalfOf").Get("userId"))
	signIn := "" // these events have the name elsewhere
	if d.Name == "UserAuthentication" {
		signIn = text(r.Field(cloudtrail.AdditionalEventData).Get("UserName"))
	}
	d.User = firstOf(d.User, signIn, onBehalfOf, d.InvokedBy)
	d.Actors = compact(d.User, name, session, d.Role, text(issuer.Get("userName")), arn, text(issuer.Get("arn")),
		principal, text(issuer.Get("principalId")), signIn, onBehalfOf, text(context.Get("sourceIdentity")))
	if d.InvokedBy == "" { // else each call has a session of a second: the user's own is another
		d.Session = sessionOf(principal, text(context.Get("attributes").Get("creationDate")), d.AccessKey)
	}
}

// sessionName takes the session's name from an ARN of STS, where it follows the last slash, else from a principal id
// (AROA…:name).
func sessionName(arn, principal string) string {
	if strings.Contains(arn, ":sts:") {
		if i := strings.LastIndexByte(arn, '/'); i >= 0 {
			return arn[i+1:]
		}
	}
	_, name, _ := strings.Cut(principal, ":")
	return name
}

// sessionOf is one string for all events of one session. A console session has a new access key for each service, so
// the key alone does not do.
func sessionOf(principal, created, key string) string {
	if principal != "" && created != "" {
		return principal + " " + created
	}
	return key
}

// readOutcome says how the call ended. Source: MAPPING section 6, and for Denied the codes that AWS's services use.
func (d *Description) readOutcome(r *cloudtrail.Record) {
	d.ErrorCode = text(r.Field(cloudtrail.ErrorCode))
	message := text(r.Field(cloudtrail.ErrorMessage))
	d.Reason = strings.Join(compact(d.ErrorCode, message), ": ")
	if r.Field(cloudtrail.ErrorCode).Exists() || r.Field(cloudtrail.ErrorMessage).Exists() {
		d.Outcome = Failure
	}
	if d.Name == "ConsoleLogin" {
		if login := text(r.Field(cloudtrail.ResponseElements).Get("ConsoleLogin")); strings.EqualFold(login, "success") {
			d.Outcome = Success
		} else if login != "" {
			d.Outcome = Failure
			d.Reason = firstOf(d.Reason, login)
		}
	}
	if d.Outcome == Failure && isDenial(d.ErrorCode) {
		d.Outcome = Denied
	}
}

func isDenial(code string) bool {
	return strings.HasPrefix(code, "AccessDenied") || strings.HasSuffix(code, "UnauthorizedOperation") ||
		code == "AuthorizationError" || strings.HasPrefix(code, "NotAuthorized") || strings.HasPrefix(code, "Forbidden")
}

func (d *Description) readMarks(r *cloudtrail.Record) {
	_, err := netip.ParseAddr(d.SourceIP)
	d.Service = d.Identity == "AWSService" || d.InvokedBy != "" || err != nil && d.SourceIP != ""
	d.Console = isTrue(r.Field(cloudtrail.SessionCredentialFromConsole))
}

// readMFA says whether the caller gave a second factor. A sign-in says it in a place of its own, and one by SAML always
// says No, since it is the provider who asked. A call with a long-term key says nothing.
func (d *Description) readMFA(r *cloudtrail.Record) {
	mfa := r.Field(cloudtrail.UserIdentity).Get("sessionContext").Get("attributes").Get("mfaAuthenticated")
	details := r.Field(cloudtrail.AdditionalEventData)
	switch {
	case d.Name == "ConsoleLogin" && details.Get("SamlProviderArn").Exists():
	case d.Name == "ConsoleLogin":
		d.MFA = strconv.FormatBool(strings.EqualFold(text(details.Get("MFAUsed")), "yes"))
	case isTrue(mfa):
		d.MFA = "true"
	case mfa.Kind() == cloudtrail.KindFalse || strings.EqualFold(text(mfa), "false"):
		d.MFA = "false"
	}
}

func firstOf(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// compact is the texts without empty and repeated ones.
func compact(texts ...string) []string {
	kept := texts[:0]
	for _, s := range texts {
		if s != "" && !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}
